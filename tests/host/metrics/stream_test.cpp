#include "host/metrics/stream.hpp"

#include <fstream>
#include <iterator>

#include "host/json/json.hpp"
#include "host/metrics/event_files.hpp"
#include "host/metrics/event_record.hpp"
#include "tests/plugins/datasets/support.hpp"

using namespace mixop;

namespace {

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct Places {
  TempFolder folder;
  StreamOptions options{folder.text() + "/metrics.jsonl", folder.text() + "/tensorboard/run", 1};

  /// "step 3" and "epoch 3" of every line but the first.
  std::vector<std::string> lines() const {
    std::vector<std::string> found;
    std::ifstream in(*options.lines);
    std::string line;
    std::getline(in, line);
    CHECK(line == R"({"kind": "run", "archive": "run.h5"})");
    while (std::getline(in, line)) {
      const JsonValue root = parse_json(line, "line", ErrorCode::failed);
      found.push_back(root.find("kind")->text + " " + root.find("step")->text);
    }
    return found;
  }
  /// How many whole records the event files hold; nothing else may be in them.
  std::size_t events() const {
    std::size_t count = 0;
    for (const auto& file : event_files(*options.tensorboard)) {
      const std::string bytes = bytes_of(file);
      std::string_view rest = bytes;
      for (; const auto record = first_record(rest); ++count) rest.remove_prefix(record->size() + kFrameBytes);
      CHECK(rest.empty());
    }
    return count;
  }
  /// A run of two epochs of two steps, and a step of the third.
  void write() const {
    MetricsStream stream(options, "run.h5", false);
    for (std::int64_t epoch = 1; epoch <= 2; ++epoch) {
      for (const std::int64_t step : {2 * epoch - 1, 2 * epoch}) stream.step(step, epoch, {{"loss", 0.5}});
      stream.epoch(2 * epoch, epoch, {{"train_loss", 0.25}});
    }
    stream.step(5, 3, {{"loss", 0.125}});
  }
};

using Lines = std::vector<std::string>;
const Lines kAll = {"step 1", "step 2", "epoch 2", "step 3", "step 4", "epoch 4", "step 5"};

}  // namespace

TEST_CASE("steps and epochs are there as soon as they are reported", "[metrics]") {
  const Places places;
  MetricsStream stream(places.options, "run.h5", false);
  stream.step(1, 1, {{"loss", 2.5}, {"accuracy", 10}});
  const std::string text = bytes_of(*places.options.lines);
  const JsonValue line = parse_json(text.substr(text.find('\n') + 1), "line", ErrorCode::failed);
  CHECK(line.find("loss")->number == 2.5);
  CHECK(line.find("accuracy")->number == 10);
  CHECK(line.find("epoch")->integer == 1);
  CHECK(line.find("wall_time")->number > 1e9);
  CHECK(places.events() == 2);
  stream.epoch(1, 1, {{"valid_loss", 1}});
  CHECK(places.lines() == Lines{"step 1", "epoch 1"});
  CHECK(places.events() == 3);
}

TEST_CASE("steps are reported at the chosen rate, epochs always", "[metrics]") {
  Places places;
  places.options.every = 2;
  places.write();
  CHECK(places.lines() == Lines{"step 2", "epoch 2", "step 4", "epoch 4"});
}

TEST_CASE("a resumed run goes on where its archive stands, without a step reported twice", "[metrics]") {
  const Places places;
  places.write();
  REQUIRE(places.lines() == kAll);
  const std::size_t before = places.events();
  SECTION("within an epoch") {
    MetricsStream stream(places.options, "run.h5", ResumePoint{3, 1, false, {}});
    CHECK(places.lines() == Lines{"step 1", "step 2", "epoch 2", "step 3"});
    CHECK(places.events() == before - 3 + 2);  // a version and a start are new
    stream.step(4, 2, {});
    CHECK(places.lines().back() == "step 4");
  }
  SECTION("after an epoch") {
    const MetricsStream stream(places.options, "run.h5", ResumePoint{4, 2, true, {{"train_loss", 0.25}}});
    CHECK(places.lines() == Lines(kAll.begin(), kAll.end() - 1));
  }
  SECTION("more than once") {
    for (int i = 0; i < 3; ++i) MetricsStream(places.options, "run.h5", ResumePoint{3, 1, false, {}});
    CHECK(places.lines() == Lines{"step 1", "step 2", "epoch 2", "step 3"});
  }
}

TEST_CASE("a resumed run begins a file behind those that are there, where earlier ones were removed", "[metrics]") {
  const Places places;
  places.write();
  MetricsStream(places.options, "run.h5", ResumePoint{5, 2, false, {}});
  MetricsStream(places.options, "run.h5", ResumePoint{5, 2, false, {}}).step(6, 3, {{"loss", 1}});
  const auto before = event_files(*places.options.tensorboard);
  REQUIRE(before.size() == 3);
  const std::string last = bytes_of(before.back());
  std::filesystem::remove(before.front());
  const MetricsStream stream(places.options, "run.h5", ResumePoint{6, 2, false, {}});
  CHECK(bytes_of(before.back()) == last);
  CHECK(event_files(*places.options.tensorboard).size() == 3);
}

TEST_CASE("an epoch that was archived and not yet reported is reported by the resumed run", "[metrics]") {
  const Places places;
  MetricsStream(places.options, "run.h5", false).step(1, 1, {{"loss", 1}});
  const std::size_t before = places.events();
  const ResumePoint point{1, 1, true, {{"train_loss", 0.75}}};
  MetricsStream(places.options, "run.h5", point);
  CHECK(places.lines() == Lines{"step 1", "epoch 1"});
  CHECK(bytes_of(*places.options.lines).find("\"train_loss\": 0.75") != std::string::npos);
  CHECK(places.events() == before + 3);
  MetricsStream(places.options, "run.h5", point);
  CHECK(places.lines() == Lines{"step 1", "epoch 1"});
}

TEST_CASE("what was cut off in the middle of writing is removed", "[metrics]") {
  const Places places;
  places.write();
  const auto file = event_files(*places.options.tensorboard).front();
  for (const std::filesystem::path& path : {*places.options.lines, file})
    std::filesystem::resize_file(path, std::filesystem::file_size(path) - 3);
  const MetricsStream stream(places.options, "run.h5", ResumePoint{5, 2, false, {}});
  CHECK(places.lines() == Lines(kAll.begin(), kAll.end() - 1));
  CHECK(places.events() == 7 + 2);
}

TEST_CASE("a run that is rolled back takes back what it reported", "[metrics]") {
  const Places places;
  MetricsStream stream(places.options, "run.h5", false);
  for (const std::int64_t step : {1, 2, 3, 4, 3}) stream.step(step, 1, {{"loss", 1}});
  CHECK(places.lines() == Lines{"step 1", "step 2", "step 3"});
}

TEST_CASE("metrics of other runs are never overwritten unasked", "[metrics][misuse]") {
  Places places;
  places.write();
  const auto problem = [&](const auto& body) {
    const Error error = error_of(body);
    CHECK(error.code() == ErrorCode::usage);
    return std::string(error.what());
  };
  const std::string advice =
      ": metrics of a run are there already; replace them by --overwrite, go on with the run by --resume, or name "
      "another place by ";
  CHECK(problem([&] { MetricsStream(places.options, "run.h5", false); }) ==
        places.options.lines->string() + advice + "--metrics=FILE");
  CHECK(problem([&] { MetricsStream(places.options, "other.h5", ResumePoint{}); }) ==
        places.options.lines->string() +
            ": these are not the metrics of other.h5, whose first line is {\"kind\": \"run\", \"archive\": "
            "\"other.h5\"}; name another file by --metrics=FILE");
  CHECK(places.lines() == kAll);
  places.options.lines.reset();
  CHECK(problem([&] { MetricsStream(places.options, "run.h5", false); }) ==
        places.options.tensorboard->string() + advice + "--tensorboard=DIR");
  MetricsStream(places.options, "run.h5", true);
  CHECK(places.events() == 1);
}

TEST_CASE("places that cannot be written are named", "[metrics][misuse]") {
  const TempFolder folder;
  const StreamOptions lines{folder.text() + "/no/metrics.jsonl", {}, 1};
  const Error error = error_of([&] { MetricsStream(lines, "run.h5", false); });
  CHECK(error.what() == folder.text() +
                            "/no/metrics.jsonl: the file of metrics cannot be opened: No such file or directory; name "
                            "another place for it");
  CHECK(error.code() == ErrorCode::usage);
  const StreamOptions events{{}, folder.write("file", "x") + "/run", 1};
  CHECK(error_of([&] { MetricsStream(events, "run.h5", false); }).what() ==
        folder.text() +
            "/file/run: the folder for event files cannot be made: Not a directory; name another by --tensorboard=DIR");
}
