#include "host/plugins/names.hpp"

#include "host/text/nearest.hpp"
#include "host/text/printable.hpp"
#include "host/text/text.hpp"

namespace mixop {

std::string unknown_name(const std::string& noun, const std::string& name, const std::vector<std::string>& known) {
  const std::string hint = did_you_mean(name, known);
  return "unknown " + noun + " '" + excerpt(name) + "'" + hint + (hint.empty() ? "; known: " : " Known: ") +
         (known.empty() ? "none" : joined(known));
}

}  // namespace mixop
