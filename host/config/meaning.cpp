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

void check_use(const std::vector<std::string>& sets, const OptionCatalog& catalog, const std::set<std::string>& uses) {
  for (const std::string& assignment : sets) {
    const std::string component(trimmed(std::string_view(assignment).substr(0, assignment.find('.'))));
    if (catalog.count(component) != 0 && uses.count(component) == 0)
      throw Error(ErrorCode::usage, "--set " + assignment + ": this run has no part '" + component +
                                        "'; it has options of " + joined({uses.begin(), uses.end()}) +
                                        ", so leave it out or choose that part");
  }
}

}  // namespace mixop
