#include "host/genotype/python_literals.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include "host/text/numbers.hpp"
#include "host/text/printable.hpp"

namespace mixop {
namespace {

using Kind = JsonValue::Kind;

constexpr int kDeepest = 16;
constexpr std::uint64_t kMostItems = 65536, kMostValues = 1'000'000;
constexpr std::int64_t kLargest = 1'000'000;

bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\\'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::uint64_t size_of(const JsonValue& value) {
  std::uint64_t size = 1;
  for (const JsonValue& item : value.items) size += size_of(item);
  return size;
}

JsonValue integer_at(const JsonValue& place, std::int64_t number) {
  JsonValue value;
  value.line = place.line;
  value.column = place.column;
  value.kind = Kind::integer;
  value.integer = number;
  value.number = static_cast<double>(number);
  value.text = std::to_string(number);
  return value;
}

/// Prints of NumPy's and PyTorch's scalars: np.int64(1), numpy.float32(0.5), tensor(0.25).
bool is_scalar_call(const std::string& name) {
  return name.rfind("np.", 0) == 0 || name.rfind("numpy.", 0) == 0 || name == "tensor" || name == "torch.tensor";
}

}  // namespace

/// A bracket or a call that is being read.
class PythonLiterals::Level {
 public:
  explicit Level(PythonLiterals& reader) : reader_(reader) {
    if (++reader_.depth_ > kDeepest)
      reader_.refuse_here("at most " + std::to_string(kDeepest) + " brackets within each other");
  }
  ~Level() { --reader_.depth_; }
  Level(const Level&) = delete;
  Level& operator=(const Level&) = delete;

 private:
  PythonLiterals& reader_;
};

PythonLiterals::PythonLiterals(std::string_view text, std::size_t at, const std::string& file, ErrorCode code)
    : text_(text), file_(file), code_(code), at_(at) {
  const std::string_view before = text.substr(0, at);
  line_ += static_cast<int>(std::count(before.begin(), before.end(), '\n'));
  line_start_ = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
}

void PythonLiterals::refuse(const JsonValue& at, const std::string& what) const {
  throw Error(code_, json_place(file_, at) + ": " + what);
}

void PythonLiterals::refuse_here(const std::string& expected) {
  const JsonValue here = placed(Kind::null);
  refuse(here, "expected " + expected + ", found " +
                   (at_ < text_.size() ? "'" + first_character(text_.substr(at_)) + "'" : "the end of the text"));
}

/// Blanks, line ends and comments.
void PythonLiterals::skip_blanks() {
  bool comment = false;
  for (; at_ < text_.size(); ++at_) {
    const char c = text_[at_];
    if (c == '\n') {
      ++line_;
      line_start_ = at_ + 1;
      comment = false;
    } else if (c == '#') {
      comment = true;
    } else if (!comment && !is_blank(c)) {
      return;
    }
  }
}

JsonValue PythonLiterals::placed(Kind kind) {
  skip_blanks();
  JsonValue value;
  value.kind = kind;
  value.line = line_;
  value.column = static_cast<int>(at_ - line_start_) + 1;
  return value;
}

std::string_view PythonLiterals::rest_of_line() const {
  std::string_view rest = text_.substr(at_);
  rest = rest.substr(0, rest.find_first_of("\n#"));
  while (!rest.empty() && is_blank(rest.front())) rest.remove_prefix(1);
  return rest;
}

bool PythonLiterals::accept(char c) {
  skip_blanks();
  if (next() != c || at_ >= text_.size()) return false;
  ++at_;
  return true;
}

void PythonLiterals::expect(char c) {
  if (!accept(c)) refuse_here("'" + std::string(1, c) + "'");
}

std::string PythonLiterals::word(const std::string& expected) {
  skip_blanks();
  const std::size_t start = at_;
  if (!is_name_start(next())) refuse_here(expected);
  while (is_name_start(next()) || is_digit(next())) ++at_;
  return std::string(text_.substr(start, at_ - start));
}

/// "name =" before an argument, or nothing.
std::string PythonLiterals::argument_name() {
  skip_blanks();
  if (!is_name_start(next())) return "";
  const auto start = std::tuple(at_, line_, line_start_);
  const std::string name = word("a name");
  if (accept('=')) return name;
  std::tie(at_, line_, line_start_) = start;
  return "";
}

std::vector<JsonMember> PythonLiterals::arguments() {
  const Level level(*this);
  std::vector<JsonMember> given;
  while (!accept(')')) {
    const JsonValue at = placed(Kind::null);
    const std::string name = argument_name();
    const bool named = !given.empty() && !given.back().key.empty();
    if (name.empty() && named) refuse(at, "an argument by place stands behind one by name");
    for (const JsonMember& other : given)
      if (!name.empty() && other.key == name) refuse(at, name + " is given twice");
    count_made(at, given.size() + 1, 1);
    given.push_back({name, at.line, at.column, value()});
    if (accept(',')) continue;
    expect(')');
    break;
  }
  return given;
}

/// Before a list of `items` and `values` more values in all are made.
void PythonLiterals::count_made(const JsonValue& at, std::uint64_t items, std::uint64_t values) {
  if (items > kMostItems)
    refuse(at, "a list of " + std::to_string(items) + " items; at most " + std::to_string(kMostItems));
  made_ += values;
  if (made_ > kMostValues) refuse(at, "the lists have more than " + std::to_string(kMostValues) + " items");
}

JsonValue PythonLiterals::value() {
  JsonValue sum = product();
  while (accept('+')) {
    const JsonValue other = product();
    if (!sum.is(Kind::list) || !other.is(Kind::list)) refuse(other, "only lists can be added");
    count_made(sum, sum.items.size() + other.items.size(), 0);
    sum.items.insert(sum.items.end(), other.items.begin(), other.items.end());
  }
  return sum;
}

JsonValue PythonLiterals::product() {
  JsonValue value = atom();
  while (accept('*')) {
    const JsonValue times = atom();
    if (!value.is(Kind::list) || !times.is(Kind::integer)) refuse(times, "expected a list times a whole number");
    const auto count = static_cast<std::uint64_t>(std::max<std::int64_t>(times.integer, 0));
    count_made(value, 0, size_of(value) * count);
    count_made(value, value.items.size() * count, 0);
    const std::vector<JsonValue> once = std::exchange(value.items, {});
    for (std::uint64_t i = 0; i < count; ++i) value.items.insert(value.items.end(), once.begin(), once.end());
  }
  return value;
}

JsonValue PythonLiterals::atom() {
  JsonValue value = placed(Kind::list);
  count_made(value, 0, 1);
  if (accept('[')) return items(std::move(value), ']');
  if (accept('(')) return items(std::move(value), ')');
  if (accept('{')) return dict(std::move(value));
  const char c = next();
  if ((c == 'u' || c == 'b') && at_ + 1 < text_.size() && (text_[at_ + 1] == '\'' || text_[at_ + 1] == '"')) ++at_;
  if (next() == '\'' || next() == '"') return quoted(std::move(value));
  if (is_digit(c) || c == '-') return number(std::move(value));
  return named(std::move(value));
}

JsonValue PythonLiterals::items(JsonValue list, char closing) {
  const Level level(*this);
  bool comma = false;
  while (!accept(closing)) {
    count_made(list, list.items.size() + 1, 0);
    list.items.push_back(value());
    if (!accept(',')) {
      expect(closing);
      break;
    }
    comma = true;
  }
  const bool grouped = closing == ')' && list.items.size() == 1 && !comma;
  return grouped ? JsonValue(list.items.front()) : list;
}

JsonValue PythonLiterals::dict(JsonValue object) {
  const Level level(*this);
  object.kind = Kind::object;
  while (!accept('}')) {
    const JsonValue key = value();
    if (!key.is(Kind::text)) refuse(key, "expected a key, a text in quotes, found " + key.describe());
    if (object.find(key.text) != nullptr) refuse(key, "key '" + excerpt(key.text) + "' appears twice; remove one");
    expect(':');
    count_made(object, object.members.size() + 1, 0);
    object.members.push_back({key.text, key.line, key.column, value()});
    if (accept(',')) continue;
    expect('}');
    break;
  }
  return object;
}

JsonValue PythonLiterals::quoted(JsonValue value) {
  const std::size_t start = at_ + 1, end = text_.find(text_[at_], start);
  const std::string_view inside = text_.substr(start, end - start);
  if (end == std::string_view::npos || inside.find_first_of("\\\n") != std::string_view::npos)
    refuse(value, "a text that does not end on its line, or that holds a backslash");
  value.kind = Kind::text;
  value.text = inside;
  at_ = end + 1;
  return value;
}

JsonValue PythonLiterals::number(JsonValue value) {
  const char *const start = text_.data() + at_, *const last = text_.data() + text_.size();
  std::int64_t whole = 0;
  const auto [end, failure] = read_number({start, last}, whole);
  const bool real = end != last && (*end == '.' || *end == 'e' || *end == 'E');
  if (real) {
    const auto [real_end, problem] = read_number({start, last}, value.number);
    if (problem != std::errc{} || (real_end != last && is_name_start(*real_end))) refuse(value, "expected a number");
    value.kind = Kind::real;
    value.text = std::string(start, real_end);
    at_ += static_cast<std::size_t>(real_end - start);
    return value;
  }
  if (failure != std::errc{} || (end != last && is_name_start(*end)) || whole > kLargest || whole < -kLargest)
    refuse(value, "expected a whole number up to " + std::to_string(kLargest));
  at_ += static_cast<std::size_t>(end - start);
  return integer_at(value, whole);
}

/// What a name stands for: None, True, False, or a call.
JsonValue PythonLiterals::named(JsonValue value) {
  std::string name = word("a text in quotes, a whole number, a list, a tuple or range(...)");
  while (next() == '.') {
    ++at_;
    name += "." + word("a name");
  }
  value.kind = Kind::null;
  if (name == "None") return value;
  value.kind = Kind::boolean;
  value.boolean = name == "True";
  if (name == "True" || name == "False") return value;
  const bool list = name == "list" || name == "tuple", scalar = is_scalar_call(name);
  if (name != "range" && !list && !scalar)
    refuse(value, "'" + excerpt(name) + "' is not known here; write out what it stands for");
  expect('(');
  std::vector<JsonMember> given = arguments();
  if (name == "range") return range(value, given);
  if (list && given.empty()) {
    value.kind = Kind::list;
    return value;
  }
  if (given.empty() || (list && given.size() > 1)) refuse(value, name + ": expected one value");
  JsonValue& only = given.front().value;
  if (list && !only.is(Kind::list)) refuse(only, name + ": expected a list, found " + only.describe());
  return std::move(only);
}

JsonValue PythonLiterals::range(const JsonValue& at, const std::vector<JsonMember>& bounds) {
  for (const JsonMember& bound : bounds)
    if (!bound.value.is(Kind::integer))
      refuse(bound.value, "range: expected whole numbers, found " + bound.value.describe());
  if (bounds.empty() || bounds.size() > 2) refuse(at, "range: expected one or two numbers");
  const std::int64_t first = bounds.size() == 2 ? bounds.front().value.integer : 0, end = bounds.back().value.integer;
  JsonValue list = at;
  list.kind = Kind::list;
  const auto count = static_cast<std::uint64_t>(std::max<std::int64_t>(end - first, 0));
  count_made(at, count, count);
  for (std::int64_t i = first; i < end; ++i) list.items.push_back(integer_at(at, i));
  return list;
}

}  // namespace mixop
