#include <iostream>

#include "host/archive/archive.hpp"
#include "host/archive/file.hpp"
#include "host/cli/all_commands.hpp"
#include "host/cli/command_line.hpp"
#include "host/json/json.hpp"
#include "host/search/run_check.hpp"
#include "host/search/stored_parts.hpp"
#include "host/search/swap.hpp"
#include "host/session/swap_socket.hpp"
#include "host/text/printable.hpp"

namespace mixop::cli {
namespace {

CommandSyntax swap_syntax() {
  CommandSyntax syntax;
  syntax.usage =
      "mixop swap RUN.h5 [--strategy S] [--relaxation PART] [--hypergradient PART] ... [--set part.option=value ...]";
  syntax.about =
      "Changes the strategy of a search that runs in another terminal, or parts of it, or options of parts. It takes "
      "effect at\n"
      "the next step, whose number is printed, and lasts: a search that is killed and resumed swaps again at the same "
      "step.\n"
      "Weights, alphas and the moments of their optimizers carry on; parts that are new start anew. Exit code 2 where it "
      "is\n"
      "refused; the search goes on as it was.";
  syntax.options.add_options()("strategy", po::value<std::string>()->value_name("S"),
                               "a named strategy, as mixop list strategies shows them");
  for (const StrategySlot& slot : strategy_slots)
    syntax.options.add_options()(slot.name.data(), po::value<std::string>()->value_name("PART"),
                                 ("the part that " + std::string(slot.part_does)).c_str());
  syntax.options.add_options()("set", po::value<Arguments>()->composing()->value_name("PART.OPTION=VALUE"),
                               "an option of a part that is in force then")("json", "prints the answer as JSON");
  syntax.positionals = 1;
  return syntax;
}

SwapRequest request_of(const po::variables_map& values) {
  SwapRequest request;
  request.strategy = text(values, "strategy");
  bool any = !request.strategy.empty();
  for (const StrategySlot& slot : strategy_slots) {
    request.parts[slot.name] = text(values, std::string(slot.name));
    any = any || !request.parts[slot.name].empty();
  }
  if (values.count("set") != 0) request.sets = values["set"].as<Arguments>();
  if (!any && request.sets.empty())
    throw Error(ErrorCode::usage, "nothing to swap: name a --strategy, a part such as --relaxation, or --set "
                                  "part.option=value\nUsage: " +
                                      swap_syntax().usage);
  return request;
}

/// Says what the file is where no search listens.
[[noreturn]] void explain(const std::string& file, const NotListening& error) {
  std::error_code none;
  if (const auto holder = lock_holder(file))
    throw Error(ErrorCode::usage, file + ": process " + std::to_string(*holder) +
                                      " works on it and does not listen at " + swap_socket(file).string() +
                                      ": it is no search, or another file has that place");
  if (!std::filesystem::exists(file, none))
    throw Error(ErrorCode::usage, file + ": no search runs on it, and no such file is there");
  if (!stored::is_of_kind(Archive::open(file), run_kind))
    throw Error(ErrorCode::usage, file + ": not the archive of a search, so there is no strategy to swap");
  throw error;
}

std::string ask(const std::string& file, const SwapRequest& request) {
  try {
    std::error_code none;  // a link's own name has no socket
    const std::filesystem::path named = output_path(file), real = std::filesystem::weakly_canonical(named, none);
    return ask_run(none ? named : real, to_json(request));
  } catch (const NotListening& error) {
    explain(file, error);
  }
}

}  // namespace

int swap_command(const Arguments& arguments) {
  const auto values = parse(swap_syntax(), arguments);
  if (!values) return 0;
  const Arguments files = positionals(*values);
  if (files.empty()) throw Error(ErrorCode::usage, "a run's archive is missing\nUsage: " + swap_syntax().usage);
  const std::string answer = ask(files.front(), request_of(*values));
  const JsonValue json = parse_json(answer, "the search's answer", ErrorCode::failed);
  const bool accepted = json.find("accepted") != nullptr && json.find("accepted")->boolean;
  const JsonValue *step = json.find("step"), *strategy = json.find("strategy"), *reason = json.find("reason");
  const std::string why = reason == nullptr ? "" : reason->text;
  if (values->count("json") != 0)
    std::cout << printable_json(answer) << std::endl;
  else if (accepted && step != nullptr && strategy != nullptr)
    std::cout << "in force from step " << step->integer << ": " << printable(strategy->text)
              << (why.empty() ? "" : " (" + printable(why) + ")") << std::endl;
  if (!accepted) say("refused: " + why);
  return accepted ? 0 : static_cast<int>(ErrorCode::usage);
}

}  // namespace mixop::cli
