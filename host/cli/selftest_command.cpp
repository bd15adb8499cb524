#include <iostream>

#include "host/cli/all_commands.hpp"
#include "host/cli/command_line.hpp"
#include "host/json/json_writer.hpp"
#include "host/selftest/oracles.hpp"
#include "host/text/printable.hpp"

namespace mixop::cli {

int selftest_command(const std::vector<std::string>& arguments) {
  CommandSyntax syntax;
  syntax.usage = "mixop selftest [--json]";
  syntax.about =
      "Runs the exactness oracles on this machine: closed forms, finite differences in double precision, published "
      "sizes and\n"
      "equal bits. Exit code 1 where one fails.";
  syntax.options.add_options()("json", "prints JSON");
  add_plugin_options(syntax);
  const auto values = parse(syntax, arguments);
  if (!values) return 0;
  bool passed = true;
  JsonWriter json;
  json.begin_object().key("oracles").begin_list();
  const bool as_json = values->count("json") != 0;
  for (const OracleResult& result : run_oracles(load_plugins(*values))) {
    passed = passed && result.passed();
    json.begin_object().member("name", result.name).member("passed", result.passed());
    json.member("deviation", result.deviation)
        .member("allowed", result.allowed)
        .member("problem", result.problem)
        .end();
    if (as_json) continue;
    std::cout << (result.passed() ? "ok    " : "FAIL  ") << result.name << ": ";
    if (result.problem.empty()) {
      std::cout << result.deviation << ", allowed " << result.allowed << "\n";
    } else {
      std::cout << printable_message(result.problem) << "\n";
    }
  }
  if (as_json) std::cout << json.end().member("passed", passed).end().text() << std::endl;
  return passed ? 0 : 1;
}

}  // namespace mixop::cli
