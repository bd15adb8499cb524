#include "host/config/meaning.hpp"

#include "host/text/text.hpp"

namespace mixop {

void check_meaning(const std::vector<std::string>& sets, RunKind kind, std::int32_t data) {
  for (const std::string& assignment : sets) {
    const std::string key(trimmed(std::string_view(assignment).substr(0, assignment.find('='))));
    for (const KeySpec& spec : config_keys(kind))
      if (spec.key == key && spec.data.value_or(data) != data)
        throw Error(ErrorCode::usage,
                    "--set " + assignment + ": " + key + " is for " +
                        (data == MIXOP_DATA_TEXT ? "images, and the data is text" : "text, and the data is images") +
                        "; leave it out");
  }
}

}  // namespace mixop
