#pragma once

#include <atomic>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "host/search/run_archive.hpp"
#include "host/search/run_check.hpp"
#include "host/search/stored_tensor.hpp"
#include "tests/host/plugins/temporary_folder.hpp"
#include "tests/support/plugins.hpp"
#include "tests/support/small_search.hpp"

namespace mixop::test {

/// Three epochs of four steps.
inline Config short_config() {
  Config config = small_config(3);
  config.space.stem = "cifar";
  return config;
}

inline Search short_search(const Config& config = short_config()) {
  static const DatasetHandle data("synthetic", plugins().dataset("synthetic"), "",
                                  {{"train", "60"}, {"test", "10"}, {"size", "8"}, {"classes", "4"}});
  return Search(config, plugins(), {}, data);
}

inline ArchiveBuilder archive_of_short(Search& search) {
  return archive_of(search, {"", {}, to_json(search.config())}, {"a command", "now", "cpu", "a digest", {"a plugin"}});
}

/// Stops a search after six steps: two of them in the second epoch.
class StopInSecondEpoch final : public RunObserver {
 public:
  void on_step(const SearchPosition& at, std::int64_t, std::int64_t, double, const EpochSums&) override {
    if (at.step == 6) interrupt = 2;
  }
  void on_epoch(const SearchPosition&, const Metrics&, const Genotype&) override {}
  void checkpoint() override {}

  std::atomic<int> interrupt{0};
};

/// Writes something else in the place of an array, a text, a group or an attribute ("/position@epoch").
struct Alteration {
  std::string path;
  std::function<void(ArchiveBuilder&, const std::string& path)> write;
};

inline Alteration without(const std::string& path) {
  return {path, [](ArchiveBuilder&, const std::string&) {}};
}
inline Alteration with_attribute(const std::string& path, const Attribute& value) {
  return {path, [value](ArchiveBuilder& archive, const std::string& at) {
            const auto mark = at.find('@');
            archive.attribute(at.substr(0, mark), at.substr(mark + 1), value);
          }};
}
inline Alteration with_texts(const std::string& path, const std::vector<std::string>& texts) {
  return {path, [texts](ArchiveBuilder& archive, const std::string& at) { archive.texts(at, texts); }};
}
inline Alteration with_tensor(const std::string& path, const at::Tensor& tensor) {
  return {path, [tensor](ArchiveBuilder& archive, const std::string& at) { put_tensor(archive, at, tensor); }};
}

/// An archive's content once more, but for some places.
inline ArchiveBuilder altered(const Archive& archive, const std::vector<Alteration>& alterations) {
  ArchiveBuilder copy;
  const auto altered_at = [&](const std::string& path) {
    for (const Alteration& alteration : alterations)
      if (alteration.path == path) return alteration.write(copy, path), true;
    return false;
  };
  const std::function<void(const std::string&)> add = [&](const std::string& path) {
    if (altered_at(path)) return;
    if (archive.is_text(path)) return copy.texts(path, archive.texts(path));
    if (!archive.is_group(path)) {
      const Array array = archive.array(path);
      return copy.array(path, array.type, array.shape, array.bytes.data());
    }
    if (path != "/") copy.group(path);
    for (const std::string& name : archive.attributes(path))
      if (!altered_at(path + "@" + name)) copy.attribute(path, name, archive.attribute(path, name));
    for (const std::string& name : archive.children(path)) add(archive_path(path, name));
  };
  add("/");
  return copy;
}

/// A sound archive, and copies of it that have a valid digest and defects.
class AlteredArchive {
 public:
  explicit AlteredArchive(const std::vector<std::byte>& sound)
      : sound_(Archive::open(folder_.write("sound.h5", sound))) {}

  const Archive& sound() const { return sound_; }
  std::filesystem::path file() const { return folder_.path() / "run.h5"; }
  Archive open(const std::vector<Alteration>& alterations) const {
    return Archive::open(folder_.write("run.h5", altered(sound_, alterations).finish()));
  }
  /// What `read` says of an altered copy, without the file's name, with which it must begin.
  template <class Read>
  std::string problem(const std::vector<Alteration>& alterations, Read&& read) const {
    const std::string start = file().string() + ": ";
    try {
      read(open(alterations));
    } catch (const Error& error) {
      const std::string text = error.what();
      if (error.code() != ErrorCode::bad_data) return "wrong code: " + text;
      return text.rfind(start, 0) == 0 ? text.substr(start.size()) : "the file is not named: " + text;
    }
    return "";
  }

 private:
  TemporaryFolder folder_;
  Archive sound_;
};

/// The archive of a search that was stopped in its second epoch.
class AlteredRun final : public AlteredArchive {
 public:
  AlteredRun() : AlteredArchive(sound_bytes()) {}

 private:
  static const std::vector<std::byte>& sound_bytes() {
    static const std::vector<std::byte> bytes = [] {
      Search search = short_search();
      StopInSecondEpoch observer;
      search.run(observer, observer.interrupt);
      return archive_of_short(search).finish();
    }();
    return bytes;
  }
};

}  // namespace mixop::test
