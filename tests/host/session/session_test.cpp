#include <ATen/Parallel.h>

#include "host/archive/compare.hpp"
#include "host/session/search_session.hpp"
#include "host/session/selection.hpp"
#include "host/session/train_session.hpp"
#include "tests/catch.hpp"
#include "tests/host/plugins/temporary_folder.hpp"

namespace {

using namespace mixop;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

const Application& application() {
  static const Application made = [] {
    PluginRegistry plugins;
    plugins.load_folder(MIXOP_PLUGIN_BUILD_DIR);
    Application application(std::move(plugins));
    application.presets = {MIXOP_SOURCE_DIR "/host/presets"};
    return application;
  }();
  return made;
}

/// Keeps what it is called with, and interrupts after a step.
struct Watcher final : SessionObserver {
  void on_line(const std::string& line) override { lines += line + "\n"; }
  void on_step(const SearchPosition& at, std::int64_t, std::int64_t, double, const Metrics&, const Task&) override {
    if (at.step == stop_at) interrupt = 2;
  }
  void on_epoch(const SearchPosition&, const Metrics& metrics, const Task&) override { epochs.push_back(metrics); }

  std::int64_t stop_at = -1;
  std::atomic<int> interrupt{0};
  std::string lines;
  std::vector<Metrics> epochs;
};

const std::vector<std::string> kData = {"data.name=synthetic", "synthetic.size=8", "synthetic.train=32",
                                        "synthetic.test=16",   "threads=1",        "device=cpu",
                                        "data.cutout=0"};

template <class Request>
Request with(Request request, const std::vector<std::string>& sets) {
  request.sets.insert(request.sets.end(), sets.begin(), sets.end());
  return request;
}

SearchRequest small_search(const std::filesystem::path& out) {
  SearchRequest request;
  request.out = out;
  request.sets = kData;
  request.command_line = "a test";
  return with(request, {"space.channels=2", "space.layers=3", "space.nodes=2", "search.batch=8", "search.epochs=2"});
}

TrainRequest small_training(const std::filesystem::path& out) {
  TrainRequest request;
  request.out = out;
  request.sets = kData;
  request.genotype = "darts_cnn/DARTS_V2";
  return with(request, {"space.channels=2", "space.layers=3", "train.batch=16", "train.epochs=2", "train.auxiliary=0"});
}

std::string refusal_of(const SearchRequest& request) {
  try {
    SearchSession session(request, application());
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST_CASE("a session refuses an output that is there, is a folder or has no folder", "[session]") {
  const test::TemporaryFolder folder;
  folder.write("run.h5", std::string("mine"));
  CHECK_THAT(refusal_of(small_search(folder.path() / "run.h5")), Contains("run.h5 exists; go on with it by --resume"));
  CHECK_THAT(refusal_of(small_search(folder.path())), Contains("cannot be written: it is a folder"));
  CHECK_THAT(refusal_of(small_search(folder.path() / "no/run.h5")), Contains("does not exist; make it first"));
  SearchRequest resumed = small_search(folder.path() / "other.h5");
  resumed.start = Start::resume;
  CHECK_THAT(refusal_of(resumed), Contains("does not exist, so there is nothing to go on with"));
}

TEST_CASE("a session says a mistake in the configuration before it touches the output", "[session]") {
  const test::TemporaryFolder folder;
  CHECK_THAT(refusal_of(with(small_search(folder.path() / "no/run.h5"), {"space.chanels=4"})),
             Contains("unknown key 'space.chanels'"));
  CHECK_THAT(refusal_of(with(small_search(folder.path() / "run.h5"), {"data.bptt=4"})),
             Contains("data.bptt is for text, and the data is images"));
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("a search and a training that this machine has no memory for are refused before it is taken", "[session][memory]") {
  const test::TemporaryFolder folder;
  const SearchRequest search = with(small_search(folder.path() / "run.h5"), {"space.channels=16384", "space.layers=20"});
  const TrainRequest training = with(small_training(folder.path() / "net.h5"), {"space.channels=16384", "space.layers=20"});
  CHECK_THAT(refusal_of(search), Contains("the run takes at least ") &&
                                     Contains("lower space.channels (16384), space.layers (20) or search.batch (8)"));
  CHECK_THROWS_WITH(forecast(search, application()), Contains("lower space.channels (16384)"));
  CHECK_THROWS_WITH(TrainSession(training, application()), Contains("or train.batch (16)"));
  CHECK_THROWS_WITH(forecast(training, application()), Contains("lower space.channels (16384)"));
  CHECK_FALSE(std::filesystem::exists(search.out));
}

TEST_CASE("a search goes on with other workers, threads and device, and with nothing else", "[session][resume]") {
  const test::TemporaryFolder folder;
  SearchRequest request = small_search(folder.path() / "run.h5");
  Watcher stops;
  stops.stop_at = 3;
  CHECK(SearchSession(request, application()).run(stops, stops.interrupt) == RunEnd::interrupted);
  request.start = Start::resume;
  request.sets = {"space.channels=4"};
  CHECK_THAT(refusal_of(request), Contains("goes on with the archive's own configuration") &&
                                      Contains("may change device, threads, data.workers, data.dir alone") &&
                                      Contains("--continue adds epochs"));
  request.sets = {"data.workers=0", "threads=2", "device=cpu"};
  Watcher watcher;
  CHECK(SearchSession(request, application()).run(watcher, watcher.interrupt) == RunEnd::finished);
  CHECK_THAT(watcher.lines, Contains("the archive was written with threads 1, and this run has 2: sums are rounded in "
                                     "another way, so that the same bits are not promised"));
  CHECK(watcher.lines.find("with device") == std::string::npos);
  at::set_num_threads(1);
  CHECK_THAT(Archive::open(request.out).text("/config/resolved"), Contains("\"workers\": 0"));
}

TEST_CASE("a run whose data has moved says from where, and goes on with the new folder", "[session][resume]") {
  const test::TemporaryFolder folder;
  const std::filesystem::path before = folder.path() / "before", after = folder.path() / "after";
  std::filesystem::create_directory(before);
  std::string words;
  for (int i = 0; i < 300; ++i) words += "one two three\n";
  for (const char* name : {"before/train.txt", "before/valid.txt", "before/test.txt"}) folder.write(name, words);
  SearchRequest request;
  request.out = folder.path() / "run.h5";
  request.data = before.string();
  request.sets = {"data.name=corpus", "space.name=darts_rnn", "space.width=4",   "space.nodes=2", "search.batch=4",
                  "data.bptt=20", "search.epochs=1",      "threads=1", "device=cpu"};
  Watcher stops;
  stops.stop_at = 2;
  CHECK(SearchSession(request, application()).run(stops, stops.interrupt) == RunEnd::interrupted);
  std::filesystem::rename(before, after);
  request.start = Start::resume;
  request.sets.clear();
  request.data.reset();
  CHECK_THAT(refusal_of(request), Contains("was made with the data in " + before.string() +
                                           ", which is not there: name the folder where it lies now by --data DIR"));
  request.data = after.string();
  Watcher watcher;
  CHECK(SearchSession(request, application()).run(watcher, watcher.interrupt) == RunEnd::finished);
}

TEST_CASE("a finished search goes on for more epochs, and an unfinished one does not", "[session][resume]") {
  const test::TemporaryFolder folder;
  SearchRequest request = small_search(folder.path() / "run.h5");
  Watcher watcher;
  CHECK(SearchSession(request, application()).run(watcher, watcher.interrupt) == RunEnd::finished);
  request.start = Start::more;
  request.sets = {};
  CHECK_THAT(refusal_of(request), Contains("--continue: expected --set search.epochs=N above the 2 epochs that") &&
                                      Contains("found 2"));
  request.sets = {"search.epochs=3", "space.nodes=3"};
  CHECK_THAT(refusal_of(request), Contains("--continue: --set space.nodes=3: expected search.epochs, weights.*, alphas.*, device, "
                                           "threads or data.workers; what the network is"));
  request.sets = {"search.epochs=3"};
  Watcher more;
  CHECK(SearchSession(request, application()).run(more, more.interrupt) == RunEnd::finished);
  CHECK(more.epochs.size() == 1);
  CHECK(Archive::open(request.out).integer("/position", "epoch") == 3);
  CHECK(Archive::open(request.out).texts("/genotypes").size() == 4);

  SearchRequest unfinished = small_search(folder.path() / "part.h5");
  Watcher stops;
  stops.stop_at = 3;
  CHECK(SearchSession(unfinished, application()).run(stops, stops.interrupt) == RunEnd::interrupted);
  unfinished.start = Start::more;
  unfinished.sets = {"search.epochs=5"};
  CHECK_THAT(refusal_of(unfinished), Contains("has 1 of its 2 epochs; finish it by --resume"));
}

TEST_CASE("a search at constant rates that goes on has the bits of one that was that long from the start",
          "[session][resume]") {
  const test::TemporaryFolder folder;
  const std::vector<std::string> constant = {"weights.lr=0.025", "weights.lr_min=0.025"};
  SearchRequest request = with(small_search(folder.path() / "parts.h5"), constant);
  Watcher watcher;
  CHECK(SearchSession(request, application()).run(watcher, watcher.interrupt) == RunEnd::finished);
  request.start = Start::more;
  request.sets = {"search.epochs=4"};
  CHECK(SearchSession(request, application()).run(watcher, watcher.interrupt) == RunEnd::finished);
  const SearchRequest whole = with(with(small_search(folder.path() / "whole.h5"), constant), {"search.epochs=4"});
  CHECK(SearchSession(whole, application()).run(watcher, watcher.interrupt) == RunEnd::finished);
  for (const auto& difference : compare_archives(Archive::open(whole.out), Archive::open(request.out)))
    CHECK_THAT(difference.path, StartsWith("/provenance") || StartsWith("/config/sets"));

  request.sets = {"search.epochs=5", "weights.lr=0.1", "weights.lr_min=0.1", "alphas.lr=0", "weights.momentum=0"};
  Watcher more;
  CHECK(SearchSession(request, application()).run(more, more.interrupt) == RunEnd::finished);
  REQUIRE(more.epochs.size() == 1);
  CHECK(more.epochs[0].at("learning_rate") == 0.1);
}

TEST_CASE("a search that its stopper ended does not go on", "[session][resume][misuse]") {
  const test::TemporaryFolder folder;
  SearchRequest request = with(small_search(folder.path() / "run.h5"),
                               {"search.epochs=3", "strategy.stopper=distance", "distance.tolerance=1000", "distance.patience=1"});
  Watcher watcher;
  CHECK(SearchSession(request, application()).run(watcher, watcher.interrupt) == RunEnd::stopped);
  request.start = Start::more;
  request.sets = {"search.epochs=9"};
  CHECK_THAT(refusal_of(request), Contains("--continue: ") && Contains("was stopped by its strategy (") &&
                                      Contains("start a new search with another strategy.stopper"));
}

TEST_CASE("a search that goes on without threads that make its batches has the same bits", "[session][resume]") {
  const test::TemporaryFolder folder;
  const SearchRequest whole = small_search(folder.path() / "whole.h5");
  Watcher watcher, stops;
  CHECK(SearchSession(whole, application()).run(watcher, watcher.interrupt) == RunEnd::finished);
  SearchRequest parts = small_search(folder.path() / "parts.h5");
  stops.stop_at = 3;
  CHECK(SearchSession(parts, application()).run(stops, stops.interrupt) == RunEnd::interrupted);
  parts.start = Start::resume;
  parts.sets = {"data.workers=0"};
  Watcher goes_on;
  CHECK(SearchSession(parts, application()).run(goes_on, goes_on.interrupt) == RunEnd::finished);
  CHECK(goes_on.lines.find("same bits are not promised") == std::string::npos);
  for (const auto& difference : compare_archives(Archive::open(whole.out), Archive::open(parts.out)))
    CHECK_THAT(difference.path, StartsWith("/provenance") || StartsWith("/config/"));
}

TEST_CASE("a command line is archived as it was typed, but for what is no text", "[session]") {
  const test::TemporaryFolder folder;
  SearchRequest request = with(small_search(folder.path() / "run.h5"), {"search.epochs=1"});
  const auto archived = [&](const std::string& typed) {
    request.command_line = typed;
    request.start = Start::overwrite;
    Watcher watcher;
    SearchSession(request, application()).run(watcher, watcher.interrupt);
    return Archive::open(request.out).text("/provenance/command_line");
  };
  CHECK(archived("mixop search --out Läufe/größer.h5") == "mixop search --out Läufe/größer.h5");
  CHECK(archived("a\tb\x7f \xff") == "a?b? ?");
}

TEST_CASE("a last batch of one image that a network cannot train on is refused before the first step", "[session]") {
  const test::TemporaryFolder folder;
  const std::string problem = "the last batch of an epoch is a single image, and a batch norm in training needs more";
  const SearchRequest search =
      with(small_search(folder.path() / "run.h5"), {"synthetic.size=32", "space.stem=imagenet", "synthetic.train=18"});
  CHECK_THAT(refusal_of(search), Contains("search.batch: " + problem));
  CHECK_THROWS_WITH(forecast(search, application()), Contains(problem));
  const TrainRequest training = with(small_training(folder.path() / "net.h5"),
                                     {"synthetic.size=32", "synthetic.train=17", "train.auxiliary=0.4"});
  CHECK_THROWS_WITH(TrainSession(training, application()), Contains("train.batch: " + problem));
  CHECK_FALSE(std::filesystem::exists(search.out));
}

TEST_CASE("a search that is interrupted and resumed by requests ends with the bits of one that never stopped",
          "[session][resume]") {
  const test::TemporaryFolder folder;
  const SearchRequest whole = small_search(folder.path() / "whole.h5");
  Watcher watcher;
  CHECK(SearchSession(whole, application()).run(watcher, watcher.interrupt) == RunEnd::finished);
  CHECK(watcher.epochs.size() == 2);
  CHECK_THAT(watcher.lines, Contains("searching darts_cnn (2 channels, 3 cells) by first_order on synthetic"));

  SearchRequest parts = small_search(folder.path() / "parts.h5");
  Watcher stops;
  stops.stop_at = 3;
  CHECK(SearchSession(parts, application()).run(stops, stops.interrupt) == RunEnd::interrupted);
  parts.start = Start::resume;
  Watcher goes_on;
  CHECK(SearchSession(parts, application()).run(goes_on, goes_on.interrupt) == RunEnd::finished);
  for (const auto& difference : compare_archives(Archive::open(whole.out), Archive::open(parts.out)))
    CHECK_THAT(difference.path, Contains("/provenance"));
  CHECK_THAT(Archive::open(parts.out).text("/provenance/command_line"), Contains("a test; a test"));

  CHECK_THAT(refusal_of(with(parts, {"space.channels=4"})), Contains("goes on with the archive's own configuration"));
}

TEST_CASE("a training takes its space from the genotype and goes on for more epochs", "[session]") {
  const test::TemporaryFolder folder;
  TrainRequest request = small_training(folder.path() / "net.h5");
  Watcher watcher;
  {
    TrainSession session(request, application());
    CHECK(session.run(watcher, watcher.interrupt) == RunEnd::finished);
    CHECK(session.training().config().space.name == "darts_cnn");
  }
  CHECK_THAT(watcher.lines, Contains("training the genotype darts_cnn/DARTS_V2 (2 channels, 3 cells, "));
  request.start = Start::more;
  request.genotype.clear();
  request.sets = {"train.epochs=3"};
  Watcher more;
  CHECK(TrainSession(request, application()).run(more, more.interrupt) == RunEnd::finished);
  CHECK(more.epochs.size() == 1);
  request.start = Start::resume;
  request.sets.clear();
  Watcher nothing;
  CHECK(TrainSession(request, application()).run(nothing, nothing.interrupt) == RunEnd::finished);
  CHECK_THAT(nothing.lines, Contains("finished before: all 3 epochs are in the archive"));
}

TEST_CASE("a forecast has the configuration, and the memory where the data is at hand", "[session]") {
  const test::TemporaryFolder folder;
  const RunForecast search = forecast(small_search(folder.path() / "run.h5"), application());
  CHECK(search.config.space.channels == 2);
  CHECK(search.peak_memory.value_or(0) > 1 << 20);
  SearchRequest without = small_search(folder.path() / "run.h5");
  without.sets[0] = "data.name=cifar10";
  without.sets.erase(without.sets.begin() + 1, without.sets.begin() + 4);
  without.data = folder.path();
  const RunForecast blind = forecast(without, application());
  CHECK_FALSE(blind.peak_memory);
  CHECK_THAT(blind.data_missing, Contains(folder.path().string()));
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("a selection refuses trainings that hold nothing out, and selects among those that do", "[session]") {
  const test::TemporaryFolder folder;
  SelectionRequest request;
  request.seeds = {1, 2};
  request.search = with(small_search({}), {"search.epochs=1"});
  request.train.sets = {"threads=1",     "device=cpu",     "space.channels=2",  "space.layers=3",
                        "train.batch=8", "train.epochs=1", "train.auxiliary=0", "data.cutout=0"};
  request.out = folder.path() / "selection";
  SelectionRequest nothing_held_out = request;
  nothing_held_out.train.sets.push_back("data.train_portion=1");
  CHECK_THROWS_WITH(Selection(nothing_held_out, application()), Contains("hold no records of synthetic out"));
  CHECK_FALSE(std::filesystem::exists(request.out));

  Selection selection(request, application());
  Watcher watcher;
  REQUIRE(selection.run(watcher, watcher.interrupt));
  REQUIRE(selection.best() != nullptr);
  CHECK(selection.criterion() == "valid_top1");
  CHECK(selection.candidates().size() == 2);
  for (const SeedCandidate& candidate : selection.candidates())
    CHECK(candidate.figure("valid_top1") <= selection.best()->figure("valid_top1"));
  CHECK(std::filesystem::exists(selection.winner_file()));
}

TEST_CASE("alphas that no cell reads are named at the start", "[session]") {
  const test::TemporaryFolder folder;
  Watcher watcher;
  SearchSession session(with(small_search(folder.path() / "run.h5"), {"space.layers=1", "search.epochs=1"}), application());
  (void)session.run(watcher, watcher.interrupt);
  CHECK_THAT(watcher.lines, Contains("no cell of this network reads the alphas 'alphas_normal'"));
  CHECK_THAT(watcher.lines, !Contains("'alphas_reduce'"));
}

}  // namespace
