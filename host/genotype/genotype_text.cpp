#include "host/genotype/genotype_text.hpp"

#include <algorithm>
#include <optional>

#include "host/genotype/genotype_json.hpp"
#include "host/genotype/genotype_python.hpp"
#include "host/genotype/genotype_subnet.hpp"
#include "host/text/nearest.hpp"
#include "host/text/plain_text.hpp"
#include "host/text/printable.hpp"
#include "host/text/text.hpp"

namespace mixop {
namespace {

using Kind = JsonValue::Kind;

constexpr std::size_t kMostListed = 20;

bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

/// A genotype that a text has, under a name where it stands in a file of definitions.
struct Definition {
  std::string name;
  std::size_t at = 0;  ///< of the call
  int line = 1;
};

std::string_view without_comment(std::string_view line) {
  for (std::size_t at = 0; at < line.size(); ++at)
    if (line[at] == '#' && (at == 0 || line[at - 1] == ' ' || line[at - 1] == '\t')) return line.substr(0, at);
  return line;
}

bool is_key(std::string_view before) { return !trimmed(before).empty() && trimmed(before).back() == ':'; }

/// "DARTS" of "  DARTS = ", of "DARTS: Genotype = " and of "{'DARTS': "; empty for any other text before a genotype.
std::string name_before(std::string_view before) {
  const bool key = is_key(before);
  before = trimmed(before);
  if (before.empty() || (!key && before.back() != '=')) return "";
  before = trimmed(before.substr(0, before.size() - 1));
  if (key) {
    const char quote = before.empty() ? ' ' : before.back();
    if (before.size() < 3 || (quote != '\'' && quote != '"')) return "";
    before.remove_suffix(1);
    const auto start = before.rfind(quote);
    if (start == std::string_view::npos) return "";
    before = before.substr(start + 1);
  } else {
    before = trimmed(before.substr(0, before.find(':')));
  }
  return is_plain_name(before) ? std::string(before) : "";
}

/// Where a call of one of the named tuples begins in a line, from `from` on.
std::size_t find_call(std::string_view line, std::size_t from) {
  constexpr std::string_view kTuple = "Genotype";
  for (std::size_t at = line.find(kTuple, from); at != std::string_view::npos; at = line.find(kTuple, at + 1)) {
    if (at > 0 && is_word(line[at - 1])) continue;
    std::string_view rest = line.substr(at + kTuple.size());
    for (const std::string_view ending : {"_nested", "_opt"})
      if (rest.substr(0, ending.size()) == ending) rest.remove_prefix(ending.size());
    const std::string_view before = trimmed(line.substr(0, at));
    const bool declared = before == "class" || before == "def" || before.ends_with("return");
    if (!declared && trimmed(rest).substr(0, 1) == "(") return at;
  }
  return std::string_view::npos;
}

/// Collects the definitions of a text, line by line.
class DefinitionFinder {
 public:
  explicit DefinitionFinder(std::string_view text) {
    int number = 1;
    for (std::size_t start = 0; start < text.size(); ++number) {
      const std::size_t end = std::min(text.find('\n', start), text.size());
      read_line(without_comment(text.substr(start, end - start)), start, number);
      start = end + 1;
    }
  }
  std::vector<Definition> found;
  bool is_log = false;  ///< a genotype stands without a name

 private:
  void read_line(std::string_view line, std::size_t start, int number) {
    std::size_t at = find_call(line, 0);
    if (at == std::string_view::npos) read_alias(line, number);
    for (std::size_t before = 0; at != std::string_view::npos; at = find_call(line, before = at + 1)) {
      const std::string_view prefix = line.substr(0, at);
      Definition made{before == 0 || is_key(prefix) ? name_before(prefix) : "", start + at, number};
      is_log = is_log || made.name.empty();
      found.push_back(std::move(made));
    }
  }
  /// "DARTS = DARTS_V2"
  void read_alias(std::string_view line, int number) {
    const auto equals = line.find('=');
    if (equals == std::string_view::npos || line.size() > 512) return;
    std::string_view other = trimmed(line.substr(equals + 1));
    if (!other.empty() && other.back() == '\r') other = trimmed(other.substr(0, other.size() - 1));
    const std::string name = name_before(line.substr(0, equals + 1));
    if (name.empty() || !is_plain_name(other)) return;
    const auto meant =
        std::find_if(found.rbegin(), found.rend(), [&](const Definition& one) { return one.name == other; });
    if (meant != found.rend()) found.push_back({name, meant->at, number});
  }
};

/// The names, each once, in the order of the file.
std::vector<std::string> names_of(const std::vector<Definition>& definitions) {
  std::vector<std::string> names;
  for (const Definition& one : definitions)
    if (!one.name.empty() && std::find(names.begin(), names.end(), one.name) == names.end()) names.push_back(one.name);
  return names;
}

std::string listed(std::vector<std::string> names) {
  const std::size_t all = names.size();
  if (all > kMostListed) names.resize(kMostListed);
  return joined(names) + (all > kMostListed ? " and " + std::to_string(all - kMostListed) + " more" : "");
}

/// The name among `names` that is wanted, or the only one.
std::string chosen_name(const std::vector<std::string>& names, const std::string& file, const std::string& wanted) {
  if (!wanted.empty()) {
    if (std::find(names.begin(), names.end(), wanted) != names.end()) return wanted;
    throw Error(ErrorCode::usage, file + " has no genotype '" + excerpt(wanted) + "'" + did_you_mean(wanted, names) +
                                      "; it has " + (names.empty() ? "none with a name" : listed(names)));
  }
  if (names.size() > 1)
    throw Error(ErrorCode::usage, file + " has several genotypes: " + listed(names) + "; name one, for instance " +
                                      file + ":" + names.front());
  return names.front();
}

const Definition& chosen(const DefinitionFinder& text, const std::string& file, const std::string& wanted,
                         std::vector<std::string>& notes) {
  const Definition* taken = &text.found.back();
  if (!text.is_log || !wanted.empty()) {
    const std::string name = chosen_name(names_of(text.found), file, wanted);
    for (const Definition& one : text.found)
      if (one.name == name) taken = &one;
  }
  const auto alike = std::count_if(text.found.begin(), text.found.end(), [&](const Definition& one) {
    return (text.is_log && wanted.empty()) || one.name == taken->name;
  });
  if (alike > 1)
    notes.push_back(file + ": the last of its " + std::to_string(alike) + " genotypes is taken, that of line " +
                    std::to_string(taken->line));
  return *taken;
}

GenotypeText from_definitions(std::string_view text, const std::string& file, const std::string& name,
                              const DefinitionFinder& found, ErrorCode code) {
  GenotypeText read;
  const Definition& taken = chosen(found, file, name, read.notes);
  read.genotype = genotype_of_call(text, taken.at, file, code, &read.notes);
  return read;
}

/// '{"' begins an object of JSON.
bool is_json(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || text[first] != '{') return false;
  const auto next = text.find_first_not_of(" \t\r\n", first + 1);
  return next == std::string_view::npos || text[next] != '\'';
}

GenotypeText from_json(std::string_view text, const std::string& file, const std::string& name, ErrorCode code) {
  const JsonValue root = parse_json(text, file, code);
  std::vector<std::string> names;
  for (const JsonMember& member : root.members)
    if (has_genotype_keys(member.value) ||
        (member.value.is(Kind::text) && find_call(member.value.text, 0) != std::string_view::npos))
      names.push_back(member.key);
  GenotypeText read;
  if (has_genotype_keys(root) || names.empty()) {
    read.genotype = genotype_of_keys(root, file, code, &read.notes);
    return read;
  }
  const JsonValue& taken = *root.find(chosen_name(names, file, name));
  if (!taken.is(Kind::text)) {
    read.genotype = genotype_of_keys(taken, file, code, &read.notes);
    return read;
  }
  return from_definitions(taken.text, json_place(file, taken), "", DefinitionFinder(taken.text), code);
}

[[noreturn]] void refuse(std::string_view text, const std::string& file, ErrorCode code) {
  const std::string format = foreign_format(text);
  const auto first = text.find_first_not_of(" \t\r\n");
  std::string_view line = first == std::string_view::npos ? std::string_view() : text.substr(first);
  line = line.substr(0, line.find_first_of("\r\n"));
  throw Error(code, file +
                        ": no genotype: expected JSON, or a text with Genotype(...), Genotype_nested(...) or "
                        "Genotype_opt(...) as published code prints it, or MMRazor's fix-subnet YAML; found " +
                        (!format.empty() ? format
                         : line.empty()  ? "an empty text"
                                         : "'" + excerpt(line) + "'"));
}

}  // namespace

GenotypeText genotype_from_text(std::string_view text, const std::string& file, const std::string& name,
                                ErrorCode code) {
  if (is_json(text)) return from_json(text, file, name, code);
  if (const DefinitionFinder found(text); !found.found.empty()) return from_definitions(text, file, name, found, code);
  const auto first = text.find_first_not_of(" \t\r\n");
  GenotypeText read;
  if (first != std::string_view::npos && text[first] == '{')
    read.genotype = genotype_of_dict(text, file, code, &read.notes);
  else if (first != std::string_view::npos && text[first] == '[')
    read.genotype = genotype_from_json(text, file, code);
  else if (is_subnet(text))
    read.genotype = genotype_of_subnet(text, file, code);
  else
    refuse(text, file, code);
  return read;
}

bool is_genotype_text(std::string_view argument) {
  const auto first = argument.find_first_not_of(" \t\r\n");
  const bool json = first != std::string_view::npos && (argument[first] == '{' || argument[first] == '[');
  return json || find_call(argument, 0) != std::string_view::npos;
}

}  // namespace mixop
