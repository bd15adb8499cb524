#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "host/json/json.hpp"

namespace mixop {

/// Reads the literals of Python that genotypes consist of into the tree that JSON is read into: texts, numbers, None,
/// lists, tuples, dicts, range(...), list(...) and tuple(...) of a list, sums and multiples of lists, NumPy's and
/// PyTorch's scalars as they print. Nothing is executed. At most 16 brackets within each other, 65536 items a list and
/// 1000000 values; all of that is checked before anything of that size is made.
class PythonLiterals {
 public:
  /// Of `text` from `at` on. `file` names it in errors, which have `code`; both outlive the reader.
  PythonLiterals(std::string_view text, std::size_t at, const std::string& file, ErrorCode code);

  JsonValue value();
  /// The arguments of a call up to its ")", the "(" being read; those by place have no key.
  std::vector<JsonMember> arguments();
  std::string word(const std::string& expected);
  bool accept(char c);
  void expect(char c);
  /// A value of that kind which stands where the next word begins.
  JsonValue placed(JsonValue::Kind kind);
  /// What follows on the line that was read last, without blanks and comments.
  std::string_view rest_of_line() const;

  [[noreturn]] void refuse(const JsonValue& at, const std::string& what) const;

 private:
  class Level;

  [[noreturn]] void refuse_here(const std::string& expected);
  void skip_blanks();
  char next() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  std::string argument_name();
  JsonValue product();
  JsonValue atom();
  JsonValue items(JsonValue list, char closing);
  JsonValue dict(JsonValue object);
  JsonValue quoted(JsonValue value);
  JsonValue number(JsonValue value);
  JsonValue named(JsonValue value);
  JsonValue range(const JsonValue& at, const std::vector<JsonMember>& bounds);
  void count_made(const JsonValue& at, std::uint64_t items, std::uint64_t values);

  std::string_view text_;
  const std::string& file_;
  ErrorCode code_;
  std::size_t at_ = 0, line_start_ = 0;
  std::uint64_t made_ = 0;
  int line_ = 1, depth_ = 0;
};

}  // namespace mixop
