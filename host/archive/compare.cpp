#include "host/archive/compare.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "host/text/text.hpp"

namespace mixop {
namespace {

using NameSet = std::unordered_set<std::string>;

NameSet set_of(const std::vector<std::string>& names) { return {names.begin(), names.end()}; }

template <class T>
std::string value_difference(const Array& a, const Array& b) {
  std::uint64_t differing = 0;
  double largest = 0;
  for (std::size_t at = 0; at < a.bytes.size(); at += sizeof(T)) {
    if (std::memcmp(a.bytes.data() + at, b.bytes.data() + at, sizeof(T)) == 0) continue;
    T x, y;
    std::memcpy(&x, a.bytes.data() + at, sizeof x);
    std::memcpy(&y, b.bytes.data() + at, sizeof y);
    ++differing;
    largest = std::max(largest, std::fabs(static_cast<double>(x) - static_cast<double>(y)));
  }
  return std::to_string(differing) + " of " + std::to_string(a.count()) + " values, the largest by " +
         shortest(largest);
}

/// What differs between two arrays, or nothing. Values are compared bit by bit.
std::string array_difference(const Array& a, const Array& b) {
  if (a.type != b.type) return std::string("type ") + element_name(a.type) + " against " + element_name(b.type);
  if (a.shape != b.shape) return "shape " + shape_text(a.shape) + " against " + shape_text(b.shape);
  if (a.bytes == b.bytes) return "";
  switch (a.type) {
    case ElementType::uint8:
      return value_difference<std::uint8_t>(a, b);
    case ElementType::int32:
      return value_difference<std::int32_t>(a, b);
    case ElementType::int64:
      return value_difference<std::int64_t>(a, b);
    case ElementType::float32:
      return value_difference<float>(a, b);
    case ElementType::float64:
      return value_difference<double>(a, b);
  }
  return "";
}

std::string text_difference(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  if (a.size() != b.size()) return std::to_string(a.size()) + " texts against " + std::to_string(b.size());
  const auto differing = std::mismatch(a.begin(), a.end(), b.begin()).first - a.begin();
  return a == b ? "" : "text " + std::to_string(differing) + " differs";
}

class Comparison {
 public:
  Comparison(const Archive& first, const Archive& second) : first_(first), second_(second) { group("/"); }
  std::vector<ArchiveDifference> take() { return std::move(differences_); }

 private:
  void note(const std::string& path, const std::string& what) {
    if (!what.empty()) differences_.push_back({path, what});
  }
  void attributes(const std::string& path) {
    const auto names = first_.attributes(path), others = second_.attributes(path);
    const NameSet in_first = set_of(names), in_second = set_of(others);
    for (const std::string& name : names) {
      if (in_second.count(name) == 0)
        note(path + "@" + name, "only in the first");
      else if (first_.attribute(path, name) != second_.attribute(path, name))
        note(path + "@" + name, "values differ");
    }
    for (const std::string& name : others)
      if (in_first.count(name) == 0) note(path + "@" + name, "only in the second");
  }
  void group(const std::string& path) {
    attributes(path);
    const auto names = first_.children(path), others = second_.children(path);
    const NameSet in_first = set_of(names), in_second = set_of(others);
    std::vector<std::string> common, common_others;
    const auto full = [&](const std::string& name) { return archive_path(path, name); };
    for (const std::string& name : names) {
      if (in_second.count(name) != 0)
        common.push_back(name);
      else
        note(full(name), "only in the first");
    }
    for (const std::string& name : others) {
      if (in_first.count(name) != 0)
        common_others.push_back(name);
      else
        note(full(name), "only in the second");
    }
    if (common != common_others) note(path, "the members' order differs");
    for (const std::string& name : common) object(full(name));
  }
  void object(const std::string& path) {
    const bool is_group = first_.is_group(path), is_text = first_.is_text(path);
    if (is_group != second_.is_group(path) || is_text != second_.is_text(path)) return note(path, "kinds differ");
    if (is_group) return group(path);
    attributes(path);
    note(path, is_text ? text_difference(first_.texts(path), second_.texts(path))
                       : array_difference(first_.array(path), second_.array(path)));
  }

  const Archive& first_;
  const Archive& second_;
  std::vector<ArchiveDifference> differences_;
};

}  // namespace

std::vector<ArchiveDifference> compare_archives(const Archive& first, const Archive& second) {
  return Comparison(first, second).take();
}

}  // namespace mixop
