#include "host/metrics/json_lines.hpp"

#include <fstream>
#include <optional>
#include <string_view>
#include <utility>

#include "host/json/json.hpp"
#include "host/json/json_writer.hpp"

namespace mixop {
namespace {

using Kind = JsonValue::Kind;

std::string head_of(const std::string& archive) {
  JsonWriter json(JsonWriter::Style::compact);
  json.begin_object().member("kind", "run").member("archive", archive).end();
  return json.text() + "\n";
}

/// How the first line of any run's metrics begins.
constexpr std::string_view kRun = R"({"kind": "run", "archive": ")";

/// Whether a file that begins with `found` is what begins with `expected`, or what a crash left of it.
bool begins_like(std::string_view expected, std::string_view found) { return expected.rfind(found, 0) == 0; }

std::string beginning(const std::filesystem::path& path, std::size_t size) {
  std::ifstream in(path, std::ios::binary);
  std::string found(size, '\0');
  in.read(found.data(), static_cast<std::streamsize>(size));
  found.resize(static_cast<std::size_t>(in.gcount()));
  return found;
}

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& problem) {
  throw Error(ErrorCode::usage, path.string() + ": " + problem + "; name another file by --metrics=FILE");
}

/// Kind, step and epoch of a line; none where it is not whole.
std::optional<Measured> measured_of(const std::string& line) {
  try {
    const JsonValue root = parse_json(line, "metrics", ErrorCode::bad_data);
    const JsonValue *kind = root.find("kind"), *step = root.find("step"), *epoch = root.find("epoch");
    if (kind == nullptr || step == nullptr || epoch == nullptr || !step->is(Kind::integer) || !epoch->is(Kind::integer))
      return std::nullopt;
    return Measured{
        kind->text == "epoch" ? Measured::Kind::epoch : Measured::Kind::step, step->integer, epoch->integer, 0, {}};
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace

const char* kind_name(Measured::Kind kind) { return kind == Measured::Kind::step ? "step" : "epoch"; }

JsonLines::JsonLines(std::filesystem::path path, const std::string& archive, bool resume) : path_(std::move(path)) {
  const std::string head = head_of(archive);
  const auto status = std::filesystem::symlink_status(path_);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
    refuse(path_, "expected a file of metrics, found a link, a folder, a pipe or a device");
  const std::string found = beginning(path_, head.size());
  if (resume && !begins_like(head, found))
    refuse(path_,
           "these are not the metrics of " + archive + ", whose first line is " + head.substr(0, head.size() - 1));
  if (!begins_like(kRun, found.substr(0, kRun.size())))
    refuse(path_,
           "expected a file of metrics to replace, which begins with " + std::string(kRun) + "..., found another file");
  if (resume && found == head) {
    open(AppendFile::cut(path_, static_cast<std::int64_t>(std::filesystem::file_size(path_))));
    return;
  }
  std::filesystem::remove(path_);
  open(AppendFile::anew(path_));
  file_->append(head);
}

void JsonLines::open(AppendFile file) { file_ = std::make_unique<AppendFile>(std::move(file)); }

void JsonLines::cut(std::int64_t step) {
  std::ifstream in(path_, std::ios::binary);
  std::string line;
  std::getline(in, line);
  std::int64_t kept = in.tellg();
  for (last_epoch_ = 0; std::getline(in, line) && !in.eof(); kept = in.tellg()) {
    const std::optional<Measured> measured = measured_of(line);
    if (!measured || measured->step > step) break;
    if (measured->kind == Measured::Kind::epoch) last_epoch_ = measured->epoch;
  }
  open(AppendFile::cut(path_, kept));
}

void JsonLines::write(const Measured& measured) {
  JsonWriter json(JsonWriter::Style::compact);
  json.begin_object().member("kind", kind_name(measured.kind)).member("step", measured.step);
  json.member("epoch", measured.epoch).member("wall_time", measured.wall_time);
  for (const auto& [name, value] : measured.values) json.member(name, value);
  json.end();
  file_->append(json.text() + "\n");
}

}  // namespace mixop
