#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "host/json/json.hpp"

namespace mixop {

/// One object of a file that people write, and how its members are read: what is wrong is a usage error with its place.
/// The object and the file's name must outlive it.
class Fields {
 public:
  /// `known` are all keys that the object may have; `what` names it where it is none.
  Fields(const JsonValue& object, const std::string& file, std::initializer_list<const char*> known,
         const std::string& what = "");

  const JsonValue& at(const char* key) const;
  bool has(const char* key) const { return object_.find(key) != nullptr; }
  /// Not empty.
  std::string text(const char* key) const;
  std::string optional_text(const char* key) const { return has(key) ? text(key) : ""; }
  /// From `least` to `most`; `unit` says of what: " of bytes".
  std::int64_t integer(const char* key, std::int64_t least, std::int64_t most, const std::string& unit = "") const;
  std::optional<double> optional_number(const char* key) const;
  /// Not empty.
  const std::vector<JsonValue>& list(const char* key) const;
  std::vector<std::string> texts(const char* key) const;
  /// The value as it is, for a Fields of its own.
  const JsonValue& object() const { return object_; }
  const std::string& file() const { return file_; }

  [[noreturn]] void refuse(const JsonValue& value, const std::string& how) const;

 private:
  const JsonValue& object_;
  const std::string& file_;
};

}  // namespace mixop
