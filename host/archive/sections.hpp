#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "host/archive/archive.hpp"

// A group of an archive as visitors of a struct whose fields are said once, in a function visit(section, visitor):
//   visitor(name, member[, least, most])   an integer, a number, a text, a list of numbers or of texts
//   visitor.text(name, member)             a text of any length, an object of its own
//   visitor.has(name, there)               whether the fields that follow are there at all; `name` is the first of them
// Scalars and texts are attributes, lists are objects of the group.

namespace mixop {

namespace sections {
inline constexpr std::int64_t kAny = std::numeric_limits<std::int64_t>::max();
}

/// Writes a section into its group.
class SectionWriter {
 public:
  SectionWriter(ArchiveBuilder& archive, std::string group) : archive_(archive), group_(std::move(group)) {
    archive_.group(group_);
  }
  bool has(const char*, bool there) const { return there; }
  void operator()(const char* name, std::int64_t value, std::int64_t = 0, std::int64_t = 0) { put(name, value); }
  void operator()(const char* name, double value) { put(name, value); }
  void operator()(const char* name, const std::string& value) { put(name, value); }
  void text(const char* name, const std::string& value) { archive_.text(archive_path(group_, name), value); }
  void operator()(const char* name, const std::vector<std::string>& values) {
    archive_.texts(archive_path(group_, name), values);
  }
  void operator()(const char* name, const std::vector<double>& values) {
    archive_.array<double>(archive_path(group_, name), {values.size()}, values);
  }

 private:
  void put(const char* name, const Attribute& value) { archive_.attribute(group_, name, value); }

  ArchiveBuilder& archive_;
  std::string group_;
};

/// Reads it back, and checks it: a field that is missing, of another type or out of its bounds is bad_data.
class SectionReader {
 public:
  SectionReader(const Archive& archive, std::string group) : archive_(archive), group_(std::move(group)) {}
  bool has(const char* name, bool) const { return archive_.has_attribute(group_, name); }
  void operator()(const char* name, std::int64_t& value, std::int64_t least = std::numeric_limits<std::int64_t>::min(),
                  std::int64_t most = sections::kAny);
  void operator()(const char* name, double& value) { value = archive_.real(group_, name); }
  void operator()(const char* name, std::string& value) { value = archive_.text(group_, name); }
  void text(const char* name, std::string& value) { value = archive_.text(archive_path(group_, name)); }
  void operator()(const char* name, std::vector<std::string>& values) {
    values = archive_.texts(archive_path(group_, name));
  }
  void operator()(const char* name, std::vector<double>& values) {
    values = archive_.values<double>(archive_path(group_, name));
  }

 private:
  const Archive& archive_;
  std::string group_;
};

/// The paths of all fields of a section.
class SectionLister {
 public:
  explicit SectionLister(std::string group) : group_(std::move(group)) {}
  bool has(const char*, bool) const { return true; }
  void text(const char* name, const std::string&) { paths.push_back(group_ + "/" + name); }
  template <class Value, class... Bounds>
  void operator()(const char* name, const Value& value, Bounds...) {
    paths.push_back(group_ + separator(value) + name);
  }

  std::vector<std::string> paths;

 private:
  template <class Item>
  static const char* separator(const std::vector<Item>&) {
    return "/";
  }
  template <class Value>
  static const char* separator(const Value&) {
    return "@";
  }

  std::string group_;
};

/// A section of that struct, read and checked.
template <class Section>
Section read_section(const Archive& archive, const std::string& group) {
  Section section;
  visit(section, SectionReader(archive, group));
  return section;
}

/// Throws bad_data, naming archive, group and field, unless the value lies within the bounds.
void require_within(const Archive& archive, const std::string& group, const char* name, std::int64_t value,
                    std::int64_t least, std::int64_t most);

}  // namespace mixop
