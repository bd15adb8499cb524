#include "host/json/json.hpp"

#include <algorithm>
#include <set>

#include "host/json/number_tokens.hpp"
#include "host/json/rapidjson.hpp"
#include "host/text/numbers.hpp"
#include "host/text/plain_text.hpp"
#include "host/text/printable.hpp"

namespace mixop {
namespace {

constexpr std::size_t kMostValues = 4'000'000;
constexpr std::size_t kDeepest = 64;

using Kind = JsonValue::Kind;

struct Position {
  int line = 1;
  int column = 1;
};

/// Turns rising byte offsets into lines and columns in one pass over the text.
class LineCounter {
 public:
  explicit LineCounter(std::string_view text) : text_(text) {}

  Position at(std::size_t offset) {
    if (offset < seen_) *this = LineCounter(text_);
    for (; seen_ < std::min(offset, text_.size()); ++seen_) {
      if (text_[seen_] != '\n') continue;
      ++line_;
      line_start_ = seen_ + 1;
    }
    return {line_, static_cast<int>(std::min(offset, text_.size()) - line_start_) + 1};
  }

 private:
  std::string_view text_;
  std::size_t seen_ = 0;
  std::size_t line_start_ = 0;
  int line_ = 1;
};

/// Where the string that ends before `end` begins: its opening quote is the nearest one that is not escaped.
std::size_t string_start(std::string_view text, std::size_t end) {
  std::size_t at = end - 1;
  for (;;) {
    at = text.rfind('"', at - 1);
    std::size_t slashes = 0;
    while (slashes < at && text[at - 1 - slashes] == '\\') ++slashes;
    if (slashes % 2 == 0) return at;
  }
}

/// Where the literal that ends before `end` begins.
std::size_t word_start(std::string_view text, std::size_t end) {
  while (end > 0 && text[end - 1] >= 'a' && text[end - 1] <= 'z') --end;
  return end;
}

/// RapidJSON's words, and what people take for JSON.
std::string problem_at(std::string_view text, std::size_t offset, const std::string& words) {
  const std::string_view rest = text.substr(std::min(offset, text.size()));
  if (rest.substr(0, 2) == "//" || rest.substr(0, 2) == "/*" || rest.substr(0, 1) == "#")
    return "a comment, of which JSON has none; remove it";
  const std::string format = foreign_format(text);
  return words + (format.empty() ? "" : " This is " + format + "; expected JSON.");
}

/// Receives RapidJSON's events and builds the tree. Brackets are announced before they are read, all else after.
class TreeBuilder {
 public:
  TreeBuilder(std::string_view text, const rapidjson::MemoryStream& stream, const std::string& file, ErrorCode code)
      : text_(text), stream_(stream), file_(file), code_(code), lines_(text) {}

  bool Null() { return add(literal(Kind::null)); }
  bool Bool(bool value) {
    JsonValue made = literal(Kind::boolean);
    made.boolean = value;
    return add(std::move(made));
  }
  // Every number comes as the 0 that stands in its place.
  bool Int(int) { return number(stream_.Tell() - 2); }
  bool Uint(unsigned) { return number(stream_.Tell() - 1); }
  bool Int64(std::int64_t) { return false; }
  bool Uint64(std::uint64_t) { return false; }
  bool Double(double) { return false; }
  bool RawNumber(const char*, rapidjson::SizeType, bool) { return false; }
  bool String(const char* value, rapidjson::SizeType size, bool) {
    JsonValue made = starting_at(string_start(text_, stream_.Tell()), Kind::text);
    made.text.assign(value, size);
    return add(std::move(made));
  }
  bool StartObject() { return open(Kind::object); }
  bool StartArray() { return open(Kind::list); }
  bool EndObject(rapidjson::SizeType) { return close(); }
  bool EndArray(rapidjson::SizeType) { return close(); }
  bool Key(const char* value, rapidjson::SizeType size, bool) {
    const Position at = lines_.at(string_start(text_, stream_.Tell()));
    JsonMember member{std::string(value, size), at.line, at.column, {}};
    if (!keys_.back().insert(member.key).second)
      throw Error(code_, json_place(file_, member) + ": key '" + excerpt(member.key) + "' appears twice; remove one");
    open_.back().members.push_back(std::move(member));
    return true;
  }

  JsonValue& root() { return root_; }

 private:
  JsonValue starting_at(std::size_t start, Kind kind) {
    JsonValue made;
    const Position at = lines_.at(start);
    made.kind = kind;
    made.line = at.line;
    made.column = at.column;
    if (++values_ > kMostValues)
      throw Error(code_, json_place(file_, made) + ": more than " + std::to_string(kMostValues) + " values");
    return made;
  }
  JsonValue literal(Kind kind) { return starting_at(word_start(text_, stream_.Tell()), kind); }
  bool number(std::size_t start) {
    JsonValue made = starting_at(start, Kind::integer);
    made.text = text_.substr(start, number_length(text_.substr(start)));
    if (const auto whole = number_of<std::int64_t>(made.text))
      made.integer = *whole;
    else
      made.kind = Kind::real;
    if (read_number(made.text, made.number).ec != std::errc{})
      throw Error(code_, json_place(file_, made) + ": the number " + excerpt(made.text) +
                             " is too large; the largest is 1.7976931348623157e308");
    return add(std::move(made));
  }
  bool open(Kind kind) {
    JsonValue made = starting_at(stream_.Tell(), kind);
    if (open_.size() == kDeepest)
      throw Error(code_, json_place(file_, made) + ": nested more than " + std::to_string(kDeepest) + " levels deep");
    open_.push_back(std::move(made));
    keys_.emplace_back();
    return true;
  }
  bool close() {
    JsonValue made = std::move(open_.back());
    open_.pop_back();
    keys_.pop_back();
    return add(std::move(made));
  }
  bool add(JsonValue value) {
    if (open_.empty())
      root_ = std::move(value);
    else if (open_.back().is(Kind::list))
      open_.back().items.push_back(std::move(value));
    else
      open_.back().members.back().value = std::move(value);
    return true;
  }

  std::string_view text_;
  const rapidjson::MemoryStream& stream_;
  const std::string& file_;
  ErrorCode code_;
  LineCounter lines_;
  std::size_t values_ = 0;
  std::vector<JsonValue> open_;
  std::vector<std::set<std::string>> keys_;
  JsonValue root_;
};

}  // namespace

const JsonValue* JsonValue::find(std::string_view key) const {
  for (const JsonMember& member : members)
    if (member.key == key) return &member.value;
  return nullptr;
}

std::string JsonValue::describe() const {
  switch (kind) {
    case Kind::null:
      return "null";
    case Kind::boolean:
      return boolean ? "true" : "false";
    case Kind::integer:
    case Kind::real:
      return excerpt(text);
    case Kind::text:
      return "text '" + excerpt(text) + "'";
    case Kind::list:
      return "a list of " + std::to_string(items.size()) + (items.size() == 1 ? " item" : " items");
    case Kind::object:
      return "an object";
  }
  return "";
}

JsonValue parse_json(std::string_view text, const std::string& file, ErrorCode code) {
  const auto malformed = [&](std::size_t offset, const std::string& what) {
    const Position at = LineCounter(text).at(offset);
    return Error(code, json_place(file, at) + ": malformed JSON: " + what);
  };
  if (const auto nul = text.find('\0'); nul != std::string_view::npos) throw malformed(nul, "a NUL byte");
  const std::string plain = without_numbers(text);
  rapidjson::MemoryStream stream(plain.data(), plain.size());
  TreeBuilder builder(text, stream, file, code);
  rapidjson::Reader reader;
  constexpr unsigned flags = rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag;
  const rapidjson::ParseResult result = reader.Parse<flags>(stream, builder);
  if (result.IsError())
    throw malformed(result.Offset(), problem_at(text, result.Offset(), rapidjson::GetParseError_En(result.Code())));
  return std::move(builder.root());
}

JsonValue parse_json_file(const std::filesystem::path& path, ErrorCode code) {
  return parse_json(read_plain_text(path, code), path.string(), code);
}

}  // namespace mixop
