#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "mixop/error.hpp"

namespace mixop {

struct JsonMember;

/// A parsed JSON value that knows where it stood, so that errors can say so.
struct JsonValue {
  enum class Kind { null, boolean, integer, real, text, list, object };

  Kind kind = Kind::null;
  bool boolean = false;
  std::int64_t integer = 0;  ///< of an integer
  double number = 0;         ///< of an integer or a real
  std::string text;          ///< of a text; of a number as it was written
  std::vector<JsonValue> items;
  std::vector<JsonMember> members;  ///< in the file's order; keys are unique
  int line = 0;                     ///< counted from 1; 0 where the value comes from no file
  int column = 0;                   ///< in bytes, counted from 1

  bool is(Kind wanted) const { return kind == wanted; }
  bool is_number() const { return kind == Kind::integer || kind == Kind::real; }
  /// The member of that key, or null.
  const JsonValue* find(std::string_view key) const;
  /// What was found, for an error message: "text 'abc'", "the list of 3 items", "null".
  std::string describe() const;
};

struct JsonMember {
  std::string key;
  int line = 0;
  int column = 0;
  JsonValue value;
};

/// "FILE:LINE:COLUMN" of a value or a member.
template <class Located>
std::string json_place(const std::string& file, const Located& at) {
  return file + ":" + std::to_string(at.line) + ":" + std::to_string(at.column);
}

/// Parses strict JSON: UTF-8, no comments, no duplicate keys, numbers that a double holds, at most 64 levels deep.
/// `file` names the source in errors, which carry `code`.
JsonValue parse_json(std::string_view text, const std::string& file, ErrorCode code);

/// parse_json of a file's plain text.
JsonValue parse_json_file(const std::filesystem::path& path, ErrorCode code);

}  // namespace mixop
