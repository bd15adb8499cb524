#include "host/task/meaning.hpp"

#include "host/text/text.hpp"

namespace mixop {

void check_meaning(const std::vector<std::string>& sets, RunKind kind, const Task& task) {
  for (const std::string& assignment : sets) {
    const std::string key(trimmed(std::string_view(assignment).substr(0, assignment.find('='))));
    for (const KeySpec& spec : config_keys(kind))
      if (spec.key == key && spec.data && &task_of(*spec.data) != &task)
        throw Error(ErrorCode::usage, "--set " + assignment + ": " + key + " is for " + task_of(*spec.data).data_name() +
                                          ", and the data is " + task.data_name() + "; leave it out");
  }
}

}  // namespace mixop
