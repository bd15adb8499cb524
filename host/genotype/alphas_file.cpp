#include "host/genotype/alphas_file.hpp"

#include <algorithm>

#include "host/json/json.hpp"
#include "host/text/plain_text.hpp"
#include "host/text/text.hpp"

namespace mixop {
namespace {

using Kind = JsonValue::Kind;

class AlphasReader {
 public:
  AlphasReader(const std::string& file, const std::vector<std::string>& names) : file_(file), names_(names) {}

  AlphasFile read(const JsonValue& root) const {
    const JsonValue* cases = root.is(Kind::list) ? &root : root.find("cases");
    if (cases == nullptr) return {{one_case(root)}, false};
    AlphasFile read;
    read.is_list = true;
    if (!cases->is(Kind::list)) refuse(*cases, "cases: expected a list, found " + cases->describe());
    if (cases->items.empty()) refuse(*cases, "expected at least one case of alphas, found an empty list");
    for (const JsonValue& item : cases->items) read.cases.push_back(one_case(item));
    return read;
  }

 private:
  [[noreturn]] void refuse(const JsonValue& at, const std::string& what) const {
    throw Error(ErrorCode::bad_data, json_place(file_, at) + ": " + what);
  }

  std::vector<RawAlphas> one_case(const JsonValue& value) const {
    if (!value.is(Kind::object)) refuse(value, "expected a case of alphas, an object, found " + value.describe());
    std::vector<RawAlphas> tables;
    add_tables(value, tables);
    if (tables.empty()) {
      std::vector<std::string> found;
      for (const JsonMember& member : value.members) found.push_back(member.key);
      refuse(value, "no alphas: expected the keys alphas_normal and alphas_reduce, or alphas, or raw_alphas; " +
                        (names_.empty() ? "" : "or the space's own, " + joined(names_) + "; ") + "found " +
                        (found.empty() ? "none" : joined(found)));
    }
    return tables;
  }
  void add_tables(const JsonValue& object, std::vector<RawAlphas>& tables) const {
    for (const JsonMember& member : object.members) {
      if (member.key == "raw_alphas" && member.value.is(Kind::object))
        add_tables(member.value, tables);
      else if (member.key == "raw_alphas" || member.key == "alphas" || member.key.rfind("alphas_", 0) == 0 ||
               std::count(names_.begin(), names_.end(), member.key) > 0)
        add(member, tables);
    }
  }
  void add(const JsonMember& member, std::vector<RawAlphas>& tables) const {
    RawAlphas made = table(member.value, member.key == "raw_alphas" ? "alphas" : member.key);
    for (const RawAlphas& present : tables)
      if (present.name == made.name)
        refuse(member.value, made.name + ": given twice in one case (raw_alphas means alphas); remove one");
    tables.push_back(std::move(made));
  }

  const std::vector<JsonValue>& rows_of(const JsonValue& value, const std::string& what) const {
    if (!value.is(Kind::list)) refuse(value, what + ": expected a list, found " + value.describe());
    if (value.items.empty()) refuse(value, what + ": expected at least one row, found an empty list");
    return value.items;
  }
  RawAlphas table(const JsonValue& value, const std::string& name) const {
    RawAlphas made;
    made.name = name;
    const JsonValue& first = rows_of(value, name).front();
    const bool per_cell = first.is(Kind::list) && !first.items.empty() && first.items.front().is(Kind::list);
    if (!per_cell) {
      add_matrix(value, name, made);
      return made;
    }
    for (const JsonValue& cell : value.items) {
      add_matrix(cell, name + ", cell " + std::to_string(made.cells), made);
      ++made.cells;
    }
    return made;
  }
  /// Appends rows; the first matrix and its first row set the sizes.
  void add_matrix(const JsonValue& value, const std::string& what, RawAlphas& made) const {
    const auto& rows = rows_of(value, what);
    if (made.edges == 0) made.edges = rows.size();
    if (rows.size() != made.edges)
      refuse(value, what + ": expected " + std::to_string(made.edges) + " rows as in the first cell, found " +
                        std::to_string(rows.size()));
    for (const JsonValue& row : rows) add_row(row, what, made);
  }
  void add_row(const JsonValue& row, const std::string& what, RawAlphas& made) const {
    const auto& numbers = rows_of(row, what);
    if (made.operations == 0) made.operations = numbers.size();
    if (numbers.size() != made.operations)
      refuse(row, what + ": expected " + std::to_string(made.operations) + " numbers as in the first row, found " +
                      std::to_string(numbers.size()));
    for (const JsonValue& number : numbers) {
      if (!number.is_number()) refuse(number, what + ": expected a number, found " + number.describe());
      made.values.push_back(number.number);
    }
  }

  const std::string& file_;
  const std::vector<std::string>& names_;
};

}  // namespace

AlphasFile read_alphas_file(const std::filesystem::path& path, const std::vector<std::string>& names) {
  return parse_alphas(read_plain_text(path, ErrorCode::bad_data), path.string(), names);
}

AlphasFile parse_alphas(std::string_view text, const std::string& file, const std::vector<std::string>& names) {
  return AlphasReader(file, names).read(parse_json(text, file, ErrorCode::bad_data));
}

}  // namespace mixop
