#include "host/cli/data_fetch.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <iostream>

#include "host/cli/command_line.hpp"
#include "host/cli/interrupt.hpp"
#include "host/cli/progress.hpp"
#include "host/fetch/download.hpp"
#include "host/fetch/fetch.hpp"
#include "host/text/nearest.hpp"
#include "host/text/printable.hpp"
#include "host/text/text.hpp"

namespace mixop::cli {
namespace {

using Clock = std::chrono::steady_clock;

std::string mebibytes(std::uint64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", static_cast<double>(bytes) / (1 << 20));
  return text;
}

/// How far one file after the other is: a line that is redrawn on a terminal, else one every ten seconds.
class FetchProgress {
 public:
  FetchProgress() = default;
  FetchProgress(const FetchProgress&) = delete;
  void show(const PublishedFile& file, std::uint64_t done, std::uint64_t all) {
    const auto now = Clock::now();
    if (file.name != name_) {
      name_ = file.name;
      began_ = shown_ = now;
      first_ = done;
      if (!terminal_) return;
    }
    if (now - shown_ < (terminal_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(10'000))) return;
    shown_ = now;
    const std::string line = printable(text(file, done, all, std::chrono::duration<double>(now - began_).count()));
    if (terminal_)
      std::cerr << "\r\033[K" << line << std::flush;
    else
      std::cerr << line << std::endl;
    open_line_ = terminal_;
  }
  void line(const std::string& text) {
    if (open_line_) std::cerr << "\r\033[K";
    open_line_ = false;
    say(text);
  }
  ~FetchProgress() {
    if (open_line_) std::cerr << std::endl;
  }

 private:
  std::string text(const PublishedFile& file, std::uint64_t done, std::uint64_t all, double seconds) const {
    std::string line = file.name + "  ";
    if (all > 0) line += progress_bar(static_cast<std::int64_t>(done), static_cast<std::int64_t>(all)) + " ";
    line += mebibytes(done) + (all > 0 ? " of " + mebibytes(all) : "") + " MiB";
    if (seconds < 0.5 || done <= first_) return line;
    const double rate = static_cast<double>(done - first_) / seconds;
    line += "  " + mebibytes(static_cast<std::uint64_t>(rate)) + " MiB/s";
    return all > done ? line + "  " + clock_text(static_cast<double>(all - done) / rate) + " left" : line;
  }

  const bool terminal_ = isatty(STDERR_FILENO) != 0;
  std::string name_;
  Clock::time_point began_{}, shown_{};
  std::uint64_t first_ = 0;
  bool open_line_ = false;
};

PublishedData from_mirror(PublishedData data, std::string address) {
  if (!is_web_address(address) || address.find_first_of("?# ") != std::string::npos)
    throw Error(ErrorCode::usage,
                "--from: expected https://... or http://..., without '?' and '#', found '" +
                    excerpt(shown_address(address)) +
                    "'; a published file that lies in the folder of --data is used without a download");
  if (address.back() != '/') address += '/';
  for (PublishedFile& file : data.files) file.addresses = {address + in_address(file.name)};
  return data;
}

}  // namespace

PublishedData published(const std::string& name, const PluginRegistry& plugins) {
  std::vector<std::string> known;
  if (auto found = find_published(name, shared_folders(plugins, "downloads"), known)) {
    (void)plugins.dataset(found->name);  // of which there must be a reader
    return std::move(*found);
  }
  const auto datasets = plugins.names(MIXOP_DATASET_INTERFACE);
  const bool exists = std::find(datasets.begin(), datasets.end(), name) != datasets.end();
  throw Error(ErrorCode::usage, "data fetch: " +
                                    (exists ? "data set '" + excerpt(name) +
                                                  "' has no published files that can be fetched; mixop data describe " +
                                                  name + " says what it reads"
                                            : "unknown data set '" + excerpt(name) + "'" + did_you_mean(name, known)) +
                                    " (can be fetched: " + joined(known) + ")");
}

int fetch_published(const PublishedData& asked, const std::string& folder, const std::string& mirror) {
  const PublishedData data = mirror.empty() ? asked : from_mirror(asked, mirror);
  if (folder.empty())
    throw Error(ErrorCode::usage,
                "data fetch: where to? Name a folder with --data DIR or the environment's MIXOP_DATA");
  const std::filesystem::path target = fetched_folder(data, folder);
  const InterruptGuard guard;
  FetchProgress progress;
  const FetchReports reports{
      [&](const PublishedFile& file, std::uint64_t done, std::uint64_t all) { progress.show(file, done, all); },
      [&] { return guard.received() != 0; }, [&](const std::string& line) { progress.line(line); }};
  switch (fetch(data, folder, reports)) {
    case FetchEnd::was_there:
      progress.line(target.string() + " is there already; mixop data check " + data.name +
                    " reads all of it; move it away to fetch it anew");
      break;
    case FetchEnd::stopped:
      progress.line("stopped; " + target.string() + ".part keeps what came, and the same command goes on");
      return guard.received();
    case FetchEnd::fetched:
      progress.line(target.string() + ": fetched, SHA-256 as published");
      break;
  }
  return 0;
}

}  // namespace mixop::cli
