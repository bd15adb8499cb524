#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <iostream>

#include "host/cli/command_line.hpp"
#include "host/process/running_part.hpp"
#include "host/process/this_process.hpp"
#include "host/text/nearest.hpp"
#include "host/text/printable.hpp"
#include "host/text/table.hpp"
#include "mixop/version.h"

namespace {

using namespace mixop;

void print_help() {
  std::cout << "mixop " << MIXOP_VERSION_STRING << ": differentiable neural architecture search\n\n"
            << "Usage: mixop COMMAND ...       mixop COMMAND --help explains a command\n\n";
  std::vector<std::vector<std::string>> table;
  for (const cli::Command& command : cli::commands()) table.push_back({"", command.name, command.summary});
  std::cout
      << table_text(table, {Align::left})
      << "\nExit codes: 0 ok, 1 the run failed, 2 usage or config, 3 bad input data or archive, 4 plugin refused,\n"
         "128 + N interrupted by signal N with a checkpoint (130 by Ctrl-C, 143 by SIGTERM).\n";
}

int run(const cli::Arguments& arguments) {
  if (arguments.empty() || arguments[0] == "--help" || arguments[0] == "-h" || arguments[0] == "help") {
    print_help();
    return arguments.empty() ? 2 : 0;
  }
  if (arguments[0] == "--version") {
    std::cout << "mixop " << MIXOP_VERSION_STRING << "\n";
    return 0;
  }
  std::vector<std::string> names;
  for (const cli::Command& command : cli::commands()) {
    if (arguments[0] == command.name) return command.run({arguments.begin() + 1, arguments.end()});
    names.emplace_back(command.name);
  }
  throw Error(ErrorCode::usage, "unknown command '" + excerpt(arguments[0]) + "'" + did_you_mean(arguments[0], names) +
                                    "; mixop --help lists them");
}

int exit_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::usage:
    case ErrorCode::unsupported:
      return 2;
    case ErrorCode::bad_data:
      return 3;
    case ErrorCode::plugin:
      return 4;
    case ErrorCode::failed:
      return 1;
  }
  return 1;
}

int answer(const cli::Arguments& arguments) {
  try {
    return run(arguments);
  } catch (const Error& error) {
    cli::say("error: " + std::string(error.what()));
    return exit_code(error.code());
  } catch (const std::exception& error) {
    cli::say("error: " + first_paragraph(error.what()));
    return 1;
  }
}

/// The exit code of a command that ended with `code`, once its output is written. A reader that wants no more, as in
/// `mixop list ops | head`, ends a command quietly, as it does others.
int with_output(int code) {
  const int problem = output_problem();
  if (problem == 0 || cli::output_was_refused()) return code;
  if (problem == EPIPE) return code != 0 ? code : 128 + SIGPIPE;
  cli::say("error: " + cli::output_message(problem));
  return code != 0 ? code : 1;
}

}  // namespace

int main(int count, char** values) {
  for (const cli::Command& command : cli::commands())
    if (command.computes && count > 1 && std::string_view(values[1]) == command.name) let_threads_sleep(values);
  begin_process();
  report_crashes();
  int code = 0;
  {
    const ExitGuard guard;
    code = with_output(answer({values + 1, values + count}));
  }
#ifndef __SANITIZE_ADDRESS__  // which looks for leaks behind main()
  // LibTorch's exit handlers take a third of a short command's time; those for CUDA read 100 MiB of their own files.
  std::_Exit(code);
#endif
  return code;
}
