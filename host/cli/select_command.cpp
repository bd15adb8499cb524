#include <algorithm>
#include <charconv>
#include <cstdio>
#include <iostream>
#include <map>
#include <optional>
#include <set>
#include <span>

#include "host/archive/file.hpp"
#include "host/cli/all_commands.hpp"
#include "host/cli/interrupt.hpp"
#include "host/cli/runs.hpp"
#include "host/genotype/genotype_json.hpp"
#include "host/json/json.hpp"
#include "host/json/json_writer.hpp"
#include "host/loop/device.hpp"
#include "host/search/run_check.hpp"
#include "host/search/stored_parts.hpp"
#include "host/text/text.hpp"
#include "host/train/training_data.hpp"

namespace mixop::cli {
namespace {

namespace fs = std::filesystem;
using Curves = std::map<std::string, std::vector<double>>;

constexpr char kResult[] = "selection.json", kWinner[] = "winner.json";
constexpr char kSearch[] = "search.h5", kTrain[] = "train.h5";

CommandSyntax select_syntax() {
  CommandSyntax syntax;
  syntax.usage =
      "mixop select PRESET|config.json [--seeds 0,1,2,3] [--set key=value ...] [--train PRESET|config.json] "
      "[--train-set key=value ...] [--data DIR] [--out DIR]";
  syntax.about =
      "Searches once a seed, trains each network that was found for a short while from scratch, and selects the one "
      "that is best on\n"
      "records that this training held out; the test split plays no part. All candidates and their curves are "
      "in\n"
      "DIR/selection.json, the winner's genotype is DIR/winner.json. The same command goes on with what was "
      "interrupted.\n"
      "Unless --train-set says otherwise train.epochs is 100 and data.train_portion of images 0.5; the data is that of "
      "the search.";
  syntax.options.add_options()("seeds", po::value<std::string>()->value_name("N,N,...")->default_value("0,1,2,3"),
                               "a search each")("set", po::value<Arguments>()->composing()->value_name("KEY=VALUE"),
                                                "sets a key of the searches")(
      "strategy", po::value<std::string>()->value_name("S"), "short for --set search.strategy=S")(
      "train", po::value<std::string>()->value_name("PRESET"), "preset or config file of the trainings")(
      "train-set", po::value<Arguments>()->composing()->value_name("KEY=VALUE"), "sets a key of the trainings")(
      "data", po::value<std::string>()->value_name("DIR"),
      "where the data lies; default: the environment's MIXOP_DATA")(
      "out", po::value<std::string>()->value_name("DIR")->default_value("selection"), "the folder to write")(
      "overwrite", "begins anew where DIR holds another selection")("json", "prints DIR/selection.json");
  syntax.positionals = 64;
  add_plugin_options(syntax);
  return syntax;
}

std::vector<std::int64_t> seeds_of(const std::string& list) {
  std::vector<std::int64_t> seeds;
  for (const std::string& item : split(list, ',')) {
    std::int64_t seed = -1;
    const auto [end, failure] = std::from_chars(item.data(), item.data() + item.size(), seed);
    if (failure != std::errc{} || end != item.data() + item.size() || seed < 0)
      throw Error(ErrorCode::usage, "--seeds: expected whole numbers from 0 on, as in 0,1,2,3, found '" + item + "'");
    seeds.push_back(seed);
  }
  if (std::set<std::int64_t>(seeds.begin(), seeds.end()).size() != seeds.size() || seeds.size() < 2)
    throw Error(ErrorCode::usage, "--seeds: expected at least two different seeds, found '" + list + "'");
  return seeds;
}

/// What was asked for: the arguments of every search and training but those that differ from seed to seed.
struct Request {
  std::vector<std::int64_t> seeds;
  Arguments search, train;
  Arguments search_data, train_data;  ///< where their data lies
  std::string criterion = {};         ///< the metric of held-out records that selects

  /// The same text for the same selection; where the data lies does not matter.
  std::string text() const {
    std::vector<std::string> numbers;
    for (const std::int64_t seed : seeds) numbers.push_back(std::to_string(seed));
    return "seeds " + joined(numbers, ",") + "; search " + joined(search, " ") + "; train " + joined(train, " ");
  }
};

void add_sets(Arguments& arguments, const Arguments& sets) {
  for (const std::string& assignment : sets) arguments.insert(arguments.end(), {"--set", assignment});
}

Arguments texts(const po::variables_map& values, const char* name) {
  return values.count(name) != 0 ? values[name].as<Arguments>() : Arguments{};
}

/// The data of the searches, as keys of the trainings.
Arguments data_sets(const Config& search, bool text) {
  Arguments sets = {"space.name=" + search.space.name, "data.name=" + search.data.name,
                    "data.train_limit=" + std::to_string(search.data.train_limit)};
  if (text) sets.push_back("data.bptt=" + std::to_string(search.data.bptt));
  if (const auto own = search.options.find(search.data.name); own != search.options.end())
    for (const auto& [name, option] : own->second) sets.push_back(search.data.name + "." + name + "=" + option.text);
  return sets;
}

Arguments both(Arguments first, const Arguments& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

/// The trainings must read their data and hold records out, before days of searches.
void check_training(const Request& request, const PluginRegistry& plugins, const OptionCatalog& catalog) {
  const RunInputs inputs = training_inputs(both(request.train, request.train_data), plugins, catalog);
  const auto records = open_training_data(inputs.data, inputs.config, at::kFloat, device_of(inputs.config.device));
  (void)records->steps_in(0);
  if (records->count(Records::valid) == 0)
    throw Error(
        ErrorCode::usage,
        "the trainings hold no records of " + inputs.data.name() +
            " out, by which to select; leave data.train_portion of images to 0.5 or below 1, and take text that "
            "has a valid split");
}

Request request_of(const po::variables_map& values, const PluginRegistry& plugins, const OptionCatalog& catalog) {
  Request request;
  request.seeds = seeds_of(text(values, "seeds"));
  request.search = positionals(values);
  if (values.count("strategy") != 0) request.search = both(request.search, {"--strategy", text(values, "strategy")});
  add_sets(request.search, texts(values, "set"));
  if (values.count("data") != 0) request.search_data = {"--data", text(values, "data")};
  const RunInputs search = search_inputs(both(request.search, request.search_data), plugins, catalog);
  const bool is_text = search.data.info().kind == MIXOP_DATA_TEXT;
  if (values.count("train") != 0) request.train.push_back(text(values, "train"));
  add_sets(request.train, data_sets(search.config, is_text));
  add_sets(request.train, {"train.epochs=100"});
  if (!is_text) add_sets(request.train, {"data.train_portion=0.5"});
  const Arguments train_sets = texts(values, "train-set");
  add_sets(request.train, train_sets);
  request.train_data = request.search_data;
  const auto names_folder = [](const std::string& assignment) { return assignment.rfind("data.dir", 0) == 0; };
  if (const std::string& folder = search.config.data.dir;
      !folder.empty() && std::none_of(train_sets.begin(), train_sets.end(), names_folder))
    request.train_data = {"--data", folder};
  request.criterion = is_text ? "valid_perplexity" : "valid_top1";
  check_training(request, plugins, catalog);
  return request;
}

/// A search and its network's training.
struct Candidate {
  std::int64_t seed;
  fs::path search, train;  // archives
  Genotype genotype = {};
  Curves search_curves = {}, train_curves = {};  // without those of the test split
  std::string defect = {};                       // why there is no network to train
};

Candidate candidate_of(std::int64_t seed, const fs::path& out) {
  const fs::path folder = out / ("seed-" + std::to_string(seed));
  return {seed, folder / kSearch, folder / kTrain};
}

Arguments arguments_of(const Arguments& shared, const Arguments& data, const fs::path& archive) {
  Arguments arguments = both(both(shared, data), {"--out", archive.string()});
  if (fs::exists(archive)) arguments.push_back("--resume");
  return arguments;
}

Curves curves_of(const fs::path& archive) {
  Curves curves = stored::record_of(Archive::open(archive)).metrics;
  std::erase_if(curves, [](const auto& curve) { return curve.first.rfind("test_", 0) == 0; });
  return curves;
}

int exit_code(const InterruptGuard& interrupt) { return interrupt.received() != 0 ? 128 + interrupt.received() : 0; }

/// Searches and trains, or goes on with it. Answers the exit code of what was interrupted, or 0.
int run(Candidate& candidate, const Request& request, const PluginRegistry& plugins, const OptionCatalog& catalog,
        const InterruptGuard& interrupt) {
  fs::create_directories(candidate.search.parent_path());
  const Arguments search = arguments_of(request.search, request.search_data, candidate.search);
  if (const int code = run_search(both(search, {"--seed", std::to_string(candidate.seed)}), plugins, catalog);
      code != 0)
    return code;
  candidate.genotype = genotypes(Archive::open(candidate.search)).back();
  candidate.search_curves = curves_of(candidate.search);
  const Arguments train =
      both(arguments_of(request.train, request.train_data, candidate.train), {"--genotype", candidate.search.string()});
  if (!fs::exists(candidate.train)) candidate.defect = network_defect(train, plugins, catalog);
  if (!candidate.defect.empty()) {
    say("seed " + std::to_string(candidate.seed) + " found a network that cannot be built: " + candidate.defect);
    return 0;
  }
  if (const int code = exit_code(interrupt); code != 0) return code;
  if (const int code = run_training(train, plugins, catalog); code != 0) return code;
  candidate.train_curves = curves_of(candidate.train);
  return 0;
}

/// After the last epoch.
double figure(const Candidate& candidate, const std::string& metric) {
  return candidate.train_curves.at(metric).back();
}

/// By the criterion, of equal ones that of the smaller loss, then the first; null where no network could be built.
const Candidate* best_of(const Request& request, const std::vector<Candidate>& candidates) {
  const double sign = request.criterion == "valid_top1" ? 1 : -1;
  const auto rank = [&](const Candidate& candidate) {
    return std::pair(sign * figure(candidate, request.criterion), -figure(candidate, "valid_loss"));
  };
  const Candidate* best = nullptr;
  for (const Candidate& candidate : candidates)
    if (candidate.defect.empty() && (best == nullptr || rank(candidate) > rank(*best))) best = &candidate;
  return best;
}

void write_curves(JsonWriter& json, const char* name, const Curves& curves) {
  json.key(name).begin_object();
  for (const auto& [metric, values] : curves) {
    json.key(metric).begin_list();
    for (const double value : values) json.value(value);
    json.end();
  }
  json.end();
}

void write_candidate(JsonWriter& json, const Request& request, const Candidate& candidate) {
  const bool trained = candidate.defect.empty();
  const auto member = [&](const std::string& name, bool there, const auto& content) {
    there ? json.member(name, content()) : json.key(name).null();
  };
  const auto below = [&](const fs::path& archive) {
    return (candidate.search.parent_path().filename() / archive.filename()).string();
  };
  json.begin_object().member("seed", candidate.seed).member("search", below(candidate.search));
  member("train", trained, [&] { return below(candidate.train); });
  member("defect", !trained, [&] { return candidate.defect; });
  for (const std::string& metric : {request.criterion, std::string("valid_loss")})
    member(metric, trained, [&] { return figure(candidate, metric); });
  json.key("genotype").raw(genotype_to_json(candidate.genotype));
  write_curves(json, "search_curves", candidate.search_curves);
  write_curves(json, "train_curves", candidate.train_curves);
  json.end();
}

/// selection.json with the candidates that are done; the winner is null until all are.
std::string result_json(const Request& request, const std::vector<Candidate>& done) {
  JsonWriter json;
  json.begin_object().member("layout", "mixop.selection/1").member("request", request.text()).key("winner");
  const Candidate* const best = done.size() == request.seeds.size() ? best_of(request, done) : nullptr;
  if (best != nullptr) {
    json.begin_object().member("seed", best->seed).member(request.criterion, figure(*best, request.criterion));
    json.key("genotype").raw(genotype_to_json(best->genotype)).end();
  } else {
    json.null();
  }
  json.key("candidates").begin_list();
  for (const Candidate& candidate : done) write_candidate(json, request, candidate);
  return json.end().end().text() + "\n";
}

void write_whole(const fs::path& file, const std::string& text) { replace_file(file, std::as_bytes(std::span(text))); }

/// Whether a folder holds nothing but what a selection that was killed as it began may have left.
bool is_unused(const fs::path& out) {
  const std::string begun = kResult;
  std::error_code unreadable;  // which the lock will tell
  for (const auto& entry : fs::directory_iterator(out, unreadable))
    if (const std::string name = entry.path().filename(); name != begun + ".lock" && name != begun + ".tmp")
      return false;
  return true;
}

/// Refuses a folder that holds something else; makes it where it is not there.
void require_place(const fs::path& out, const Request& request, bool overwrite) {
  std::error_code failure;
  if (!overwrite && fs::exists(out / kResult)) {
    const JsonValue root = parse_json_file(out / kResult, ErrorCode::bad_data);
    const JsonValue* asked = root.find("request");
    if (asked == nullptr || asked->text != request.text())
      throw Error(ErrorCode::usage, out.string() + " holds another selection (" +
                                        (asked == nullptr ? "no request" : asked->text) +
                                        "); repeat its command, name another --out, or begin anew by --overwrite");
  } else if (!fs::exists(out / kResult) && fs::is_directory(out, failure) && !is_unused(out)) {
    throw Error(ErrorCode::usage, out.string() + " exists and holds no selection; name another --out");
  }
  fs::create_directories(out, failure);
  if (failure)
    throw Error(ErrorCode::usage,
                out.string() + ": the folder cannot be made: " + failure.message() + "; name another --out");
}

/// Removes a file and what writing it may have left beside it.
void remove_written(const fs::path& file) {
  for (const char* end : {"", ".prev", ".tmp", ".prev.tmp"}) fs::remove(file.string() + end);
}

bool is_seed_folder(const fs::path& path) {
  const std::string name = path.filename(), digits = name.substr(std::min<std::size_t>(5, name.size()));
  return name.rfind("seed-", 0) == 0 && !digits.empty() && digits.find_first_not_of("0123456789") == std::string::npos;
}

/// Begins anew: nothing is left of the seeds of the selection that was here.
void clear(const fs::path& out, const Request& request) {
  remove_written(out / kWinner);
  const std::vector<fs::path> entries{fs::directory_iterator(out), fs::directory_iterator()};
  for (const fs::path& folder : entries) {
    if (!is_seed_folder(folder)) continue;
    for (const char* archive : {kSearch, kTrain}) remove_written(folder / archive);
    std::error_code holds_more;
    fs::remove(folder, holds_more);
  }
  write_whole(out / kResult, result_json(request, {}));
  fs::remove((out / kResult).string() + ".prev");
}

void print_table(const Request& request, const std::vector<Candidate>& done, const fs::path& out) {
  const Candidate* const best = best_of(request, done);
  const char* const title = request.criterion == "valid_top1" ? "held-out top-1 %" : "held-out perplexity";
  for (const Candidate& candidate : done) {
    const auto seed = static_cast<long long>(candidate.seed);
    if (candidate.defect.empty())
      std::printf("seed %-6lld %s %8.2f%s\n", seed, title, figure(candidate, request.criterion),
                  &candidate == best ? "  selected" : "");
    else
      std::printf("seed %-6lld cannot be built: %s\n", seed, candidate.defect.c_str());
  }
  std::printf("%s\n", (out / kWinner).c_str());
}

}  // namespace

int select_command(const Arguments& arguments) {
  const auto values = parse(select_syntax(), arguments);
  if (!values) return 0;
  const PluginRegistry plugins = load_plugins(*values);
  const OptionCatalog catalog = option_catalog(plugins);
  const Request request = request_of(*values, plugins, catalog);
  const fs::path out = text(*values, "out");
  const bool overwrite = values->count("overwrite") != 0;
  require_place(out, request, overwrite);
  const ArchiveLock lock(out / kResult);
  if (overwrite || !fs::exists(out / kResult)) clear(out, request);
  const InterruptGuard interrupt;  // between the runs as well
  std::vector<Candidate> done;
  for (const std::int64_t seed : request.seeds) {
    say("candidate " + std::to_string(done.size() + 1) + " of " + std::to_string(request.seeds.size()) + ": seed " +
        std::to_string(seed));
    Candidate candidate = candidate_of(seed, out);
    int code = exit_code(interrupt);
    if (code == 0) code = run(candidate, request, plugins, catalog, interrupt);
    if (code != 0) {
      say("interrupted; the same command goes on");
      return code;
    }
    done.push_back(std::move(candidate));
    write_whole(out / kResult, result_json(request, done));
  }
  const Candidate* const best = best_of(request, done);
  if (best == nullptr)
    throw Error(ErrorCode::failed,
                "none of the networks that were found can be built, the first for this reason: " + done.front().defect);
  write_whole(out / kWinner, genotype_to_json(best->genotype) + "\n");
  if (values->count("json") != 0)
    std::cout << result_json(request, done) << std::flush;
  else
    print_table(request, done, out);
  return 0;
}

}  // namespace mixop::cli
