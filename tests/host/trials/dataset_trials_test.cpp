#include "host/trials/dataset_trials.hpp"

#include <atomic>
#include <thread>

#include "mixop/dataset.hpp"
#include "tests/catch.hpp"
#include "tests/host/plugins/temporary_folder.hpp"

namespace {

using namespace mixop;

enum class Fault { none, threads, digest, targets, folder, missing };

/// Three hundred images of one pixel.
template <Fault fault>
class Small : public Dataset {
 public:
  static constexpr char expects[] = "nothing";
  explicit Small(const std::string& folder, const Options&) : here_(std::this_thread::get_id()) {
    if (fault == Fault::folder) throw Error(ErrorCode::failed, "the folder is odd");
    if (fault == Fault::missing) throw Error(ErrorCode::usage, "expected a.bin");
    static std::atomic<int> openings{0};
    file_ = folder + (fault == Fault::digest && openings++ % 2 == 1 ? "/b.txt" : "/a.txt");
    files_[0] = file_.c_str();
  }
  MixopDatasetInfo info() const override {
    static constexpr const char* kNames[] = {"one", "other"};
    MixopDatasetInfo info{};
    info.size = sizeof info;
    info.kind = MIXOP_DATA_IMAGES;
    info.records[MIXOP_SPLIT_TRAIN] = 300;
    info.classes = 2;
    info.class_names = kNames;
    info.channels = info.height = info.width = 1;
    info.deviation[0] = 1;
    info.files = files_;
    info.file_count = 1;
    return info;
  }
  void read(int, std::int64_t first, std::int64_t count, std::uint8_t* values, std::int64_t* targets) const override {
    for (std::int64_t i = 0; i < count; ++i) {
      values[i] = static_cast<std::uint8_t>(first + i);
      targets[i] = (first + i) % 2;
      if (fault == Fault::threads && first == 128 && std::this_thread::get_id() != here_) values[i] = 0;
      if (fault == Fault::targets && first + i == 299) targets[i] = 2;
    }
  }

 private:
  std::thread::id here_;
  std::string file_;
  const char* files_[1];
};

template <Fault fault>
std::string failure() {
  const test::TemporaryFolder folder;
  folder.write("a.txt", std::string("a"));
  folder.write("b.txt", std::string("b"));
  static const MixopComponent component = dataset<Small<fault>>("test.small");
  std::string found = "all passed";
  int count = 0;
  try_dataset(*static_cast<const MixopDataset*>(component.table), "test.small", folder.path().string(), [&](const Trial& trial) {
    ++count;
    if (fault == Fault::missing) CHECK(trial.name == "opens, or says why not; it said: data set 'test.small': expected a.bin");
    if (!trial.passed && found == "all passed") found = trial.name + ": " + trial.detail;
  });
  CHECK(count == (fault == Fault::folder || fault == Fault::missing ? 1 : 3));
  return found;
}

TEST_CASE("a data set that breaks a rule is told which", "[trials][datasets][misuse]") {
  CHECK(failure<Fault::none>() == "all passed");
  CHECK(failure<Fault::threads>() ==
        "records, by several threads: records 128 to 191 of the split 'train' are others where several threads read; read() and "
        "decode() may be called from several");
  CHECK(failure<Fault::digest>() ==
        "digest: two openings of the same folder have other digests; list the files that it is made of, in one order");
  CHECK_THAT(failure<Fault::targets>(), Catch::StartsWith("records, by several threads: "));
  CHECK(failure<Fault::missing>() == "all passed");
  CHECK(failure<Fault::folder>() == "opens, or says why not: data set 'test.small': the folder is odd");
}

}  // namespace
