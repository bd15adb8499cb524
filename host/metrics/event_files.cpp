#include "host/metrics/event_files.hpp"

#include <algorithm>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "host/metrics/event.pb.h"
#include "host/metrics/event_record.hpp"
#include "host/text/numbers.hpp"
#include "host/text/whole_file.hpp"
#include "mixop/error.hpp"

namespace mixop {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kBeginning = "events.out.tfevents.", kEnd = ".mixop";
/// An event's scalar of this name holds the epoch's number, from which a resumed run knows what is reported already.
constexpr char kEpochTag[] = "epoch/number";

double now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

void make_folder(const fs::path& folder) {
  std::error_code failure;
  fs::create_directories(folder, failure);
  if (failure)
    throw Error(ErrorCode::usage, folder.string() + ": the folder for event files cannot be made: " +
                                      failure.message() + "; name another by --tensorboard=DIR");
}

/// Cuts a file behind its last whole event of a step up to `step`; returns the last epoch that it holds.
std::int64_t cut_after(const fs::path& path, std::int64_t step) {
  const std::string bytes = whole_file(path).value_or("");
  std::string_view rest = bytes;
  std::int64_t epoch = 0;
  while (const auto record = first_record(rest)) {
    metrics::Event event;
    if (!event.ParseFromArray(record->data(), static_cast<int>(record->size())) || event.step() > step) break;
    for (const metrics::Summary::Value& value : event.summary().value())
      if (value.tag() == kEpochTag) epoch = static_cast<std::int64_t>(value.simple_value());
    rest.remove_prefix(record->size() + kFrameBytes);
  }
  const std::size_t kept = bytes.size() - rest.size();
  if (kept < bytes.size()) AppendFile::cut(path, static_cast<std::int64_t>(kept)).sync();
  return epoch;
}

/// The number in a name that this program gives: events.out.tfevents.NUMBER.mixop. Those of other programs are not
/// touched.
std::optional<std::uint64_t> number_of_file(std::string_view name) {
  if (name.size() <= kBeginning.size() + kEnd.size() || name.substr(0, kBeginning.size()) != kBeginning ||
      name.substr(name.size() - kEnd.size()) != kEnd)
    return std::nullopt;
  return number_of<std::uint64_t>(
      std::string(name.substr(kBeginning.size(), name.size() - kBeginning.size() - kEnd.size())));
}

/// Behind all that are there, whichever of them were removed.
std::uint64_t next_number(const fs::path& folder) {
  std::uint64_t next = 0;
  for (const fs::path& file : event_files(folder)) {
    const std::string name = file.filename();
    next = std::max(next, number_of_file(name).value_or(0) + 1);
  }
  return next;
}

void append(AppendFile& file, const metrics::Event& event) { file.append(framed(event.SerializeAsString())); }

}  // namespace

std::vector<fs::path> event_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code ignored;
  for (fs::directory_iterator at(folder, ignored), end; !ignored && at != end; at.increment(ignored))
    if (number_of_file(at->path().filename().string())) files.push_back(at->path());
  std::sort(files.begin(), files.end());
  return files;
}

EventFiles::EventFiles(fs::path folder, bool resume) : folder_(std::move(folder)) {
  make_folder(folder_);
  if (resume) return;
  for (const fs::path& file : event_files(folder_)) fs::remove(file);
  begin_file();
}

void EventFiles::cut(std::int64_t step) {
  last_epoch_ = 0;
  for (const fs::path& file : event_files(folder_)) last_epoch_ = std::max(last_epoch_, cut_after(file, step));
  begin_file();
  metrics::Event start;
  start.set_wall_time(now());
  start.set_step(step + 1);
  start.mutable_session_log()->set_status(metrics::SessionLog::START);
  append(*file_, start);
}

void EventFiles::begin_file() {
  char number[32];
  std::snprintf(number, sizeof number, "%06" PRIu64, next_number(folder_));
  file_ =
      std::make_unique<AppendFile>(AppendFile::anew(folder_ / (std::string(kBeginning) + number + std::string(kEnd))));
  metrics::Event version;
  version.set_wall_time(now());
  version.set_file_version("brain.Event:2");
  append(*file_, version);
}

void EventFiles::write(const Measured& measured) {
  metrics::Event event;
  event.set_wall_time(measured.wall_time);
  event.set_step(measured.step);
  const auto add = [&](const std::string& tag, double value) {
    metrics::Summary::Value& scalar = *event.mutable_summary()->add_value();
    scalar.set_tag(tag);
    scalar.set_simple_value(static_cast<float>(value));
  };
  if (measured.kind == Measured::Kind::epoch) add(kEpochTag, static_cast<double>(measured.epoch));
  for (const auto& [name, value] : measured.values) add(std::string(kind_name(measured.kind)) + "/" + name, value);
  append(*file_, event);
}

}  // namespace mixop
