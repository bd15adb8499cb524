#include <csignal>
#include <cstdlib>
#include <iostream>

#include "host/cli/command_line.hpp"
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
         "130 or 143 interrupted with a checkpoint.\n";
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

}  // namespace

int main(int count, char** values) {
  std::signal(SIGXFSZ, SIG_IGN);  // a limit on file sizes is an error with a message, as a full disk is
  const int code = answer({values + 1, values + count});
  std::cout << std::flush;
#ifndef __SANITIZE_ADDRESS__  // which looks for leaks behind main()
  // LibTorch's exit handlers take a third of a short command's time; those for CUDA read 100 MiB of their own files.
  std::_Exit(code);
#endif
  return code;
}
