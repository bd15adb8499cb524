#include <algorithm>
#include <charconv>
#include <cstdio>
#include <iostream>
#include <map>
#include <set>
#include <span>

#include "host/archive/file.hpp"
#include "host/cli/all_commands.hpp"
#include "host/cli/runs.hpp"
#include "host/genotype/genotype_json.hpp"
#include "host/json/json.hpp"
#include "host/json/json_writer.hpp"
#include "host/search/run_check.hpp"
#include "host/search/stored_parts.hpp"
#include "host/text/text.hpp"

namespace mixop::cli {
namespace {

namespace fs = std::filesystem;
using Curves = std::map<std::string, std::vector<double>>;

constexpr char kResult[] = "selection.json", kWinner[] = "winner.json";

CommandSyntax select_syntax() {
  CommandSyntax syntax;
  syntax.usage =
      "mixop select PRESET|config.json [--seeds 0,1,2,3] [--set key=value ...] [--train PRESET|config.json] "
      "[--train-set key=value ...] [--data DIR] [--out DIR]";
  syntax.about =
      "Searches once a seed, trains each network that was found for a short while from scratch, and selects the one "
      "that is best on\n"
      "train records that this training held out; the test split plays no part. All candidates and their curves are "
      "in\n"
      "DIR/selection.json, the winner's genotype is DIR/winner.json. The same command goes on with what was "
      "interrupted.\n"
      "Unless --train-set says otherwise train.epochs is 100 and data.train_portion 0.5; the data is that of the "
      "search.";
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
  Arguments search, train, data;

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
Arguments data_sets(const Config& search) {
  Arguments sets = {"space.name=" + search.space.name, "data.name=" + search.data.name,
                    "data.train_limit=" + std::to_string(search.data.train_limit)};
  if (const auto own = search.options.find(search.data.name); own != search.options.end())
    for (const auto& [name, option] : own->second) sets.push_back(search.data.name + "." + name + "=" + option.text);
  return sets;
}

Request request_of(const po::variables_map& values, const OptionCatalog& catalog) {
  Request request;
  request.seeds = seeds_of(text(values, "seeds"));
  request.search = positionals(values);
  if (values.count("strategy") != 0)
    request.search.insert(request.search.end(), {"--strategy", text(values, "strategy")});
  add_sets(request.search, texts(values, "set"));
  const Config search = search_config(request.search, catalog);
  if (values.count("train") != 0) request.train.push_back(text(values, "train"));
  add_sets(request.train, data_sets(search));
  add_sets(request.train, {"train.epochs=100", "data.train_portion=0.5"});
  add_sets(request.train, texts(values, "train-set"));
  if (train_config(request.train, catalog).data.train_portion >= 1)
    throw Error(ErrorCode::usage,
                "data.train_portion=1 holds no train records out, by which to select; leave it to 0.5, or give "
                "--train-set data.train_portion below 1");
  if (values.count("data") != 0) request.data = {"--data", text(values, "data")};
  return request;
}

/// A search and its network's training.
struct Candidate {
  std::int64_t seed;
  fs::path search, train;  // archives
  Genotype genotype = {};
  Curves search_curves = {}, train_curves = {};  // without those of the test split
};

Candidate candidate_of(std::int64_t seed, const fs::path& out) {
  const fs::path folder = out / ("seed-" + std::to_string(seed));
  return {seed, folder / "search.h5", folder / "train.h5"};
}

Arguments arguments_of(const Arguments& shared, const Request& request, const fs::path& archive) {
  Arguments arguments = shared;
  arguments.insert(arguments.end(), request.data.begin(), request.data.end());
  arguments.insert(arguments.end(), {"--out", archive.string()});
  if (fs::exists(archive)) arguments.push_back("--resume");
  return arguments;
}

Curves curves_of(const fs::path& archive) {
  Curves curves = stored::record_of(Archive::open(archive)).metrics;
  std::erase_if(curves, [](const auto& curve) { return curve.first.rfind("test_", 0) == 0; });
  return curves;
}

/// Searches and trains, or goes on with it. Answers the exit code of what was interrupted, or 0.
int run(Candidate& candidate, const Request& request, const PluginRegistry& plugins, const OptionCatalog& catalog) {
  fs::create_directories(candidate.search.parent_path());
  Arguments search = arguments_of(request.search, request, candidate.search);
  search.insert(search.end(), {"--seed", std::to_string(candidate.seed)});
  if (const int code = run_search(search, plugins, catalog); code != 0) return code;
  Arguments train = arguments_of(request.train, request, candidate.train);
  train.insert(train.end(), {"--genotype", candidate.search.string()});
  if (const int code = run_training(train, plugins, catalog); code != 0) return code;
  candidate.genotype = genotypes(Archive::open(candidate.search)).back();
  candidate.search_curves = curves_of(candidate.search);
  candidate.train_curves = curves_of(candidate.train);
  return 0;
}

/// The metric of held-out records that selects: accuracy of images, perplexity of text.
const char* criterion(const Candidate& candidate) {
  return candidate.train_curves.contains("valid_top1") ? "valid_top1" : "valid_perplexity";
}

/// After the last epoch; larger is better.
double merit(const Candidate& candidate) {
  const std::string metric = criterion(candidate);
  const double last = candidate.train_curves.at(metric).back();
  return metric == "valid_top1" ? last : -last;
}

/// Of equal ones that of the smaller loss, then the first.
const Candidate& best_of(const std::vector<Candidate>& candidates) {
  const auto rank = [](const Candidate& candidate) {
    return std::pair(merit(candidate), -candidate.train_curves.at("valid_loss").back());
  };
  return *std::max_element(candidates.begin(), candidates.end(),
                           [&](const Candidate& a, const Candidate& b) { return rank(a) < rank(b); });
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

/// selection.json with the candidates that are done; the winner is null until all are.
std::string result_json(const Request& request, const std::vector<Candidate>& done) {
  JsonWriter json;
  json.begin_object().member("layout", "mixop.selection/1").member("request", request.text());
  json.key("winner");
  if (done.size() == request.seeds.size()) {
    const Candidate& best = best_of(done);
    json.begin_object().member("seed", best.seed).member(criterion(best), best.train_curves.at(criterion(best)).back());
    json.key("genotype").raw(genotype_to_json(best.genotype)).end();
  } else {
    json.null();
  }
  json.key("candidates").begin_list();
  for (const Candidate& candidate : done) {
    const auto below = [&](const fs::path& archive) {
      return candidate.search.parent_path().filename() / archive.filename();
    };
    json.begin_object().member("seed", candidate.seed).member("search", below(candidate.search).string());
    json.member("train", below(candidate.train).string());
    for (const char* metric : {criterion(candidate), "valid_loss"})
      json.member(metric, candidate.train_curves.at(metric).back());
    json.key("genotype").raw(genotype_to_json(candidate.genotype));
    write_curves(json, "search_curves", candidate.search_curves);
    write_curves(json, "train_curves", candidate.train_curves);
    json.end();
  }
  return json.end().end().text() + "\n";
}

void write_whole(const fs::path& file, const std::string& text) { replace_file(file, std::as_bytes(std::span(text))); }

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
  } else if (!overwrite && fs::exists(out) && !fs::is_empty(out, failure)) {
    throw Error(ErrorCode::usage, out.string() + " exists and holds no selection; name another --out");
  }
  fs::create_directories(out, failure);
  if (failure)
    throw Error(ErrorCode::usage,
                out.string() + ": the folder cannot be made: " + failure.message() + "; name another --out");
}

/// Begins anew.
void clear(const fs::path& out, const Request& request) {
  fs::remove(out / kWinner);
  for (const std::int64_t seed : request.seeds)
    for (const fs::path& archive : {candidate_of(seed, out).search, candidate_of(seed, out).train}) fs::remove(archive);
  write_whole(out / kResult, result_json(request, {}));
}

void print_table(const std::vector<Candidate>& done, const fs::path& out) {
  const Candidate& best = best_of(done);
  const std::string metric = criterion(best);
  for (const Candidate& candidate : done)
    std::printf("seed %-6lld %s %8.2f%s\n", static_cast<long long>(candidate.seed),
                metric == "valid_top1" ? "held-out top-1 %" : "held-out perplexity",
                candidate.train_curves.at(metric).back(), &candidate == &best ? "  selected" : "");
  std::printf("%s\n", (out / kWinner).c_str());
}

}  // namespace

int select_command(const Arguments& arguments) {
  const auto values = parse(select_syntax(), arguments);
  if (!values) return 0;
  const PluginRegistry plugins = load_plugins(*values);
  const OptionCatalog catalog = option_catalog(plugins);
  const Request request = request_of(*values, catalog);
  const fs::path out = text(*values, "out");
  const bool overwrite = values->count("overwrite") != 0;
  require_place(out, request, overwrite);
  const ArchiveLock lock(out / kResult);
  if (overwrite || !fs::exists(out / kResult)) clear(out, request);
  std::vector<Candidate> done;
  for (const std::int64_t seed : request.seeds) {
    say("candidate " + std::to_string(done.size() + 1) + " of " + std::to_string(request.seeds.size()) + ": seed " +
        std::to_string(seed));
    Candidate candidate = candidate_of(seed, out);
    if (const int code = run(candidate, request, plugins, catalog); code != 0) {
      say("interrupted; the same command goes on");
      return code;
    }
    done.push_back(std::move(candidate));
    write_whole(out / kResult, result_json(request, done));
  }
  write_whole(out / kWinner, genotype_to_json(best_of(done).genotype) + "\n");
  if (values->count("json") != 0)
    std::cout << result_json(request, done) << std::flush;
  else
    print_table(done, out);
  return 0;
}

}  // namespace mixop::cli
