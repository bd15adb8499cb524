#include "host/genotype/genotype_python.hpp"

#include <algorithm>
#include <charconv>
#include <tuple>
#include <utility>
#include <vector>

#include "host/genotype/genotype_json.hpp"
#include "host/text/text.hpp"

namespace mixop {
namespace {

using Kind = JsonValue::Kind;

constexpr int kDeepest = 16;
constexpr std::size_t kMostMade = 1'000'000;
constexpr std::int64_t kLargest = 1'000'000;

bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\\'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The fields of the named tuples, in their order; none for another name.
std::vector<std::string> fields_of(const std::string& tuple, std::size_t by_place) {
  if (tuple == "Genotype_nested") return {"genes", "concat", "reductions"};
  if (tuple == "Genotype_opt") return {"genes", "seq", "concat", "reductions"};
  if (tuple != "Genotype") return {};
  if (by_place > 0 && by_place <= 2) return {"recurrent", "concat"};
  return {"normal", "normal_concat", "reduce", "reduce_concat"};
}

/// Reads the expressions that such texts consist of into the tree that JSON is read into.
class PythonReader {
 public:
  PythonReader(std::string_view text, const std::string& file, ErrorCode code)
      : text_(text), file_(file), code_(code) {}

  JsonValue genotype() {
    JsonValue root = placed(Kind::object);
    std::string name = word("a genotype such as Genotype(...), Genotype_nested(...) or Genotype_opt(...)");
    if (accept('=')) {
      root = placed(Kind::object);
      name = word("a genotype such as Genotype(...)");
    }
    if (fields_of(name, 0).empty())
      refuse(root, "expected Genotype, Genotype_nested or Genotype_opt, found '" + name + "'");
    expect('(');
    arguments(root, name);
    if (skip_blanks(); at_ < text_.size()) refuse(placed(Kind::null), "expected nothing behind the genotype");
    return root;
  }

 private:
  [[noreturn]] void refuse(const JsonValue& at, const std::string& what) const {
    throw Error(code_, json_place(file_, at) + ": " + what);
  }
  [[noreturn]] void refuse_here(const std::string& expected) {
    const JsonValue here = placed(Kind::null);
    const std::string found =
        at_ < text_.size() ? "'" + std::string(1, text_[at_]) + "'" : std::string("the end of the text");
    refuse(here, "expected " + expected + ", found " + found);
  }

  /// Blanks, line ends and comments.
  void skip_blanks() {
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
  /// A value of that kind which stands where the next word begins.
  JsonValue placed(Kind kind) {
    skip_blanks();
    JsonValue value;
    value.kind = kind;
    value.line = line_;
    value.column = static_cast<int>(at_ - line_start_) + 1;
    return value;
  }
  bool accept(char c) {
    skip_blanks();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) refuse_here("'" + std::string(1, c) + "'");
  }
  std::string word(const std::string& expected) {
    skip_blanks();
    const std::size_t start = at_;
    if (at_ >= text_.size() || !is_name_start(text_[at_])) refuse_here(expected);
    while (at_ < text_.size() && (is_name_start(text_[at_]) || is_digit(text_[at_]))) ++at_;
    return std::string(text_.substr(start, at_ - start));
  }
  /// "name =" before an argument, or nothing.
  std::string argument_name() {
    skip_blanks();
    if (at_ >= text_.size() || !is_name_start(text_[at_])) return "";
    const auto start = std::tuple(at_, line_, line_start_);
    const std::string name = word("a name");
    if (accept('=')) return name;
    std::tie(at_, line_, line_start_) = start;
    return "";
  }

  void arguments(JsonValue& root, const std::string& tuple) {
    std::vector<JsonMember> by_place;
    while (!accept(')')) {
      const JsonValue at = placed(Kind::null);
      const std::string name = argument_name();
      if (root.find(name) != nullptr) refuse(at, name + " is given twice");
      if (name.empty() && !root.members.empty()) refuse(at, "an argument by place stands behind one by name");
      (name.empty() ? by_place : root.members).push_back({name, at.line, at.column, sum(0)});
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    name_arguments(root, tuple, std::move(by_place));
  }
  void name_arguments(JsonValue& root, const std::string& tuple, std::vector<JsonMember> by_place) const {
    const std::vector<std::string> fields = fields_of(tuple, by_place.size());
    if (by_place.size() > fields.size())
      refuse(by_place.back().value, tuple + " has " + std::to_string(fields.size()) + " fields, " + joined(fields));
    for (std::size_t i = 0; i < by_place.size(); ++i) {
      if (root.find(fields[i]) != nullptr) refuse(by_place[i].value, fields[i] + " is given twice");
      by_place[i].key = fields[i];
      root.members.push_back(std::move(by_place[i]));
    }
  }

  JsonValue sum(int depth) {
    JsonValue value = product(depth);
    while (accept('+')) {
      const JsonValue other = product(depth);
      if (!value.is(Kind::list) || !other.is(Kind::list)) refuse(other, "only lists can be added");
      value.items.insert(value.items.end(), other.items.begin(), other.items.end());
    }
    return value;
  }
  JsonValue product(int depth) {
    JsonValue value = atom(depth);
    while (accept('*')) {
      const JsonValue times = atom(depth);
      if (!value.is(Kind::list) || !times.is(Kind::integer)) refuse(times, "expected a list times a whole number");
      count_made(value, size_of(value) * static_cast<std::size_t>(std::max<std::int64_t>(times.integer, 0)));
      const std::vector<JsonValue> once = std::exchange(value.items, {});
      for (std::int64_t i = 0; i < times.integer; ++i) value.items.insert(value.items.end(), once.begin(), once.end());
    }
    return value;
  }
  static std::size_t size_of(const JsonValue& value) {
    std::size_t size = 1;
    for (const JsonValue& item : value.items) size += size_of(item);
    return size;
  }
  /// Multiples and ranges are short texts of long lists.
  void count_made(const JsonValue& at, std::size_t count) {
    made_ += count;
    if (made_ > kMostMade) refuse(at, "the lists have more than " + std::to_string(kMostMade) + " items");
  }

  JsonValue atom(int depth) {
    if (depth > kDeepest) refuse_here("at most " + std::to_string(kDeepest) + " brackets within each other");
    JsonValue value = placed(Kind::list);
    if (accept('[')) return items(std::move(value), ']', depth);
    if (accept('(')) return items(std::move(value), ')', depth);
    const char c = at_ < text_.size() ? text_[at_] : '\0';
    if (c == '\'' || c == '"') return quoted(std::move(value));
    if (is_digit(c) || c == '-') return number(std::move(value));
    const std::string name = word("a text in quotes, a whole number, a list, a tuple or range(...)");
    if (name == "range") return range(std::move(value));
    if (name == "None") return placed_as(std::move(value), Kind::null);
    refuse(value, "'" + name + "' is not known here; write out what it stands for");
  }
  static JsonValue placed_as(JsonValue value, Kind kind) {
    value.kind = kind;
    return value;
  }
  JsonValue items(JsonValue list, char closing, int depth) {
    bool comma = false;
    while (!accept(closing)) {
      list.items.push_back(sum(depth + 1));
      if (!accept(',')) {
        expect(closing);
        break;
      }
      comma = true;
    }
    const bool grouped = closing == ')' && list.items.size() == 1 && !comma;
    return grouped ? JsonValue(list.items.front()) : list;
  }
  JsonValue quoted(JsonValue value) {
    const std::size_t start = at_ + 1, end = text_.find(text_[at_], start);
    const std::string_view inside = text_.substr(start, end - start);
    if (end == std::string_view::npos || inside.find_first_of("\\\n") != std::string_view::npos)
      refuse(value, "a text that does not end on its line, or that holds a backslash");
    value.kind = Kind::text;
    value.text = inside;
    at_ = end + 1;
    return value;
  }
  JsonValue number(JsonValue value) {
    const char* const start = text_.data() + at_;
    const auto [end, failure] = std::from_chars(start, text_.data() + text_.size(), value.integer);
    const bool more = end != text_.data() + text_.size() && (*end == '.' || is_name_start(*end));
    if (failure != std::errc{} || more || value.integer > kLargest || value.integer < -kLargest)
      refuse(value, "expected a whole number up to " + std::to_string(kLargest));
    value.kind = Kind::integer;
    value.number = static_cast<double>(value.integer);
    value.text = std::to_string(value.integer);
    at_ += static_cast<std::size_t>(end - start);
    return value;
  }
  JsonValue range(JsonValue value) {
    expect('(');
    const JsonValue bounds = items(placed(Kind::list), ')', 0);
    const std::vector<JsonValue> given = bounds.is(Kind::list) ? bounds.items : std::vector<JsonValue>{bounds};
    for (const JsonValue& bound : given)
      if (!bound.is(Kind::integer)) refuse(bound, "range: expected whole numbers, found " + bound.describe());
    if (given.empty() || given.size() > 2) refuse(value, "range: expected one or two numbers");
    for (std::int64_t i = given.size() == 2 ? given.front().integer : 0; i < given.back().integer; ++i) {
      count_made(value, 1);
      JsonValue item = value;
      item.items.clear();
      item.kind = Kind::integer;
      item.integer = i;
      item.number = static_cast<double>(i);
      item.text = std::to_string(i);
      value.items.push_back(std::move(item));
    }
    return value;
  }

  std::string_view text_;
  const std::string& file_;
  ErrorCode code_;
  std::size_t at_ = 0, line_start_ = 0, made_ = 0;
  int line_ = 1;
};

std::string list_text(const std::vector<int>& values) {
  std::vector<std::string> items;
  for (const int value : values) items.push_back(std::to_string(value));
  return "[" + joined(items) + "]";
}

/// As published code writes nodes: a range where they follow each other.
std::string nodes_text(const std::vector<int>& nodes) {
  for (std::size_t i = 0; i < nodes.size(); ++i)
    if (nodes[i] != nodes.front() + static_cast<int>(i)) return list_text(nodes);
  if (nodes.empty()) return "[]";
  return "range(" + std::to_string(nodes.front()) + ", " + std::to_string(nodes.back() + 1) + ")";
}

std::string genes_text(const CellGenotype& cell, bool with_to) {
  std::vector<std::string> genes;
  for (const Gene& gene : cell.genes)
    genes.push_back("('" + gene.operation + "', " + (with_to ? std::to_string(gene.to) + ", " : "") +
                    std::to_string(gene.from) + ")");
  return "[" + joined(genes) + "]";
}

bool is_identifier(const std::string& name) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && is_letter(name.front()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

/// Throws unsupported where no call in Python can hold the genotype.
void check_python(const Genotype& genotype) {
  check_writable(genotype);
  const auto cannot_hold = [](const std::string& what) {
    throw Error(ErrorCode::unsupported, "the genotype cannot be written as Python: " + what + "; take JSON");
  };
  if (genotype.by_position() && !are_alike(genotype)) cannot_hold("its cells differ in their concat or inputs");
  for (const CellGenotype& cell : genotype.cells)
    if (!genotype.by_position() && !is_identifier(cell.name)) cannot_hold("'" + cell.name + "' is no name in Python");
}

}  // namespace

std::string genotype_to_python(const Genotype& genotype) {
  check_python(genotype);
  std::vector<std::string> fields;
  if (!genotype.by_position()) {
    for (const CellGenotype& cell : genotype.cells) {
      fields.push_back(cell.name + "=" + genes_text(cell, names_nodes(cell)));
      fields.push_back(concat_key(genotype, cell) + "=" + nodes_text(cell.concat));
      if (cell.inputs != (cell.name == "recurrent" ? 1 : 2))
        fields.push_back(cell.name + "_inputs=" + std::to_string(cell.inputs));
    }
    return "Genotype(" + joined(fields) + ")";
  }
  std::vector<std::string> cells;
  for (const CellGenotype& cell : genotype.cells) cells.push_back(genes_text(cell, true));
  fields.push_back("genes=[" + joined(cells) + "]");
  if (genotype.sequence) fields.push_back("seq=" + list_text(*genotype.sequence));
  fields.push_back("concat=" + nodes_text(genotype.cells.front().concat));
  if (const int inputs = genotype.cells.front().inputs; inputs != 2)
    fields.push_back("inputs=" + std::to_string(inputs));
  fields.push_back("reductions=" + (genotype.reductions ? list_text(*genotype.reductions) : "None"));
  return (genotype.sequence ? "Genotype_opt(" : "Genotype_nested(") + joined(fields) + ")";
}

Genotype genotype_from_python(std::string_view text, const std::string& file, ErrorCode code) {
  return genotype_of_keys(PythonReader(text, file, code).genotype(), file, code);
}

}  // namespace mixop
