#include "host/archive/archive.hpp"
#include "host/archive/content.hpp"
#include "host/archive/decoder.hpp"
#include "host/archive/file.hpp"
#include "host/archive/hdf5.hpp"
#include "host/archive/user_block.hpp"

namespace mixop {
namespace {

/// What HDF5 may take besides the file, which it copies, and what it unpacks.
constexpr std::uint64_t kMemory = std::uint64_t{256} << 20;
constexpr unsigned kSeconds = 2;
/// Bytes that HDF5 unpacks in a second of a slow machine.
constexpr std::uint64_t kBytesPerSecond = std::uint64_t{32} << 20;

Content parsed(std::vector<std::byte> file, const std::string& name) {
  const std::uint64_t unpacked = hdf5::most_unpacked(file.size());
  const Confinement limits{kMemory + 2 * file.size() + unpacked, kMemory + unpacked,
                           kSeconds + static_cast<unsigned>(file.size() / kBytesPerSecond)};
  ConfinedResult result = run_confined(limits, [&](const ConfinedOutput& output) {
    ContentWriter writer(output);
    hdf5::decode(file, writer);
  });
  if (!result.whole)
    throw Error(ErrorCode::bad_data, name + ": HDF5, which reads archives in a process of its own, " + result.end +
                                         "; the file's content is damaged, or was made to do harm");
  return {std::move(result.output), name};
}

}  // namespace

struct Archive::State {
  std::string name;
  Content content;

  [[noreturn]] void refuse(const std::string& path, const std::string& what) const {
    throw Error(ErrorCode::bad_data, name + ": " + path + ": " + what);
  }
  const StoredObject& object(const std::string& path) const {
    const StoredObject* found = content.find(path);
    if (found == nullptr) refuse(path, "is not there");
    return *found;
  }
  const StoredObject& group(const std::string& path) const {
    const StoredObject& found = object(path);
    if (found.kind != StoredObject::Kind::group) refuse(path, "expected a group, found an array");
    return found;
  }
  const StoredObject& dataset(const std::string& path) const {
    const StoredObject& found = object(path);
    if (found.kind == StoredObject::Kind::group) refuse(path, "expected an array or a text, found a group");
    return found;
  }
};

Archive::Archive(std::unique_ptr<State> state) : state_(std::move(state)) {}
Archive::Archive(Archive&&) noexcept = default;
Archive& Archive::operator=(Archive&&) noexcept = default;
Archive::~Archive() = default;

Archive Archive::open(const std::filesystem::path& path) {
  std::vector<std::byte> file = read_file(path);
  check_user_block(file, path.string());
  return Archive(std::make_unique<State>(path.string(), parsed(std::move(file), path.string())));
}

const std::string& Archive::name() const { return state_->name; }

bool Archive::has(const std::string& path) const { return state_->content.find(path) != nullptr; }

bool Archive::is_group(const std::string& path) const {
  const StoredObject* found = state_->content.find(path);
  return found != nullptr && found->kind == StoredObject::Kind::group;
}

std::vector<std::string> Archive::children(const std::string& path) const { return state_->group(path).children; }

Array Archive::array(const std::string& path) const {
  const StoredObject& found = state_->dataset(path);
  if (found.kind != StoredObject::Kind::array)
    state_->refuse(path, "expected an array of uint8, int32, int64, float32 or float64, found another type");
  return {found.type, found.shape, {found.bytes.begin(), found.bytes.end()}};
}

bool Archive::is_text(const std::string& path) const {
  const StoredObject* found = state_->content.find(path);
  return found != nullptr && found->kind == StoredObject::Kind::texts;
}

std::vector<std::string> Archive::texts(const std::string& path) const {
  const StoredObject& found = state_->dataset(path);
  if (!is_text(path)) state_->refuse(path, "expected texts of fixed length, found another type");
  std::vector<std::string> values;
  for (std::size_t at = 0; at < found.bytes.size(); at += found.text_size)
    values.push_back(padded_text(found.bytes.subspan(at, found.text_size)));
  return values;
}

std::string Archive::text(const std::string& path) const {
  std::vector<std::string> values = texts(path);
  if (values.size() != 1) state_->refuse(path, "expected one text, found " + std::to_string(values.size()));
  return std::move(values.front());
}

std::vector<std::string> Archive::attributes(const std::string& path) const {
  std::vector<std::string> names;
  for (const auto& [name, value] : state_->object(path).attributes) names.push_back(name);
  return names;
}

bool Archive::has_attribute(const std::string& path, const std::string& name) const {
  const StoredObject* found = state_->content.find(path);
  return found != nullptr && found->attributes.count(name) > 0;
}

Attribute Archive::attribute(const std::string& path, const std::string& name) const {
  if (!has_attribute(path, name)) state_->refuse(path + "@" + name, "is not there");
  return state_->object(path).attributes.at(name);
}

std::int64_t Archive::integer(const std::string& path, const std::string& name) const {
  const Attribute value = attribute(path, name);
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return *integer;
  state_->refuse(path + "@" + name, "expected int64, found another type");
}

double Archive::real(const std::string& path, const std::string& name) const {
  const Attribute value = attribute(path, name);
  if (const auto* real = std::get_if<double>(&value)) return *real;
  state_->refuse(path + "@" + name, "expected float64, found another type");
}

std::string Archive::text(const std::string& path, const std::string& name) const {
  Attribute value = attribute(path, name);
  if (auto* text = std::get_if<std::string>(&value)) return std::move(*text);
  state_->refuse(path + "@" + name, "expected a text, found another type");
}

}  // namespace mixop
