#include "vocabulary.hpp"

#include "file.hpp"
#include "mixop/utf8.hpp"
#include "unicode.hpp"

namespace mixop::corpus {
namespace {

constexpr std::size_t kMaxWordBytes = 4096;
constexpr std::size_t kMaxWords = std::size_t{1} << 24;  // of a data set's classes, as the host takes them
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::string_view kEndOfLine = "<eos>";

std::string hexadecimal(char byte) {
  constexpr char kDigits[] = "0123456789abcdef";
  const auto value = static_cast<std::uint8_t>(byte);
  return {'0', 'x', kDigits[value >> 4], kDigits[value & 15]};
}

/// Goes through one text once.
class Tokenizer {
 public:
  Tokenizer(const std::filesystem::path& path, std::string_view text, Vocabulary& vocabulary)
      : path_(path), text_(text), vocabulary_(vocabulary) {}

  std::vector<std::int32_t> tokens() {
    std::size_t at = text_.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
    word_ = line_ = at;
    while (at < text_.size()) {
      const CodePoint point = code_point_at(text_, at);
      check(point, at);
      const std::size_t next = at + point.bytes;
      if (is_space(point.value)) {
        end_word(at);
        word_ = next;
      }
      // The \n of \r\n ends the line.
      if (point.value == '\n' || (point.value == '\r' && !text_.substr(next).starts_with('\n'))) {
        add(kEndOfLine);
        ++line_number_;
        line_ = next;
      }
      at = next;
    }
    end_word(at);
    if (line_ < text_.size()) add(kEndOfLine);
    return std::move(tokens_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    refuse(path_, "line " + std::to_string(line_number_) + " " + what);
  }

  void check(const CodePoint& point, std::size_t at) const {
    const std::string place = " at byte " + std::to_string(at - line_ + 1);
    if (point.bytes == 0)
      fail("is no UTF-8: it has " + hexadecimal(text_[at]) + place + "; convert the file to UTF-8 (iconv)");
    if (point.value == 0) fail("has a NUL" + place + "; expected text, found something else");
  }

  void end_word(std::size_t end) {
    const std::size_t bytes = end - word_;
    if (bytes > kMaxWordBytes)
      fail("has a word of " + std::to_string(bytes) + " bytes, at most " + std::to_string(kMaxWordBytes) +
           " are read; expected words between white space");
    if (bytes > 0) add(text_.substr(word_, bytes));
  }

  void add(std::string_view word) {
    tokens_.push_back(vocabulary_.add(word));
    if (vocabulary_.words().size() > kMaxWords)
      fail("has word " + std::to_string(vocabulary_.words().size()) + " of the vocabulary, at most " +
           std::to_string(kMaxWords) + " are read; replace rare words by <unk>");
  }

  const std::filesystem::path& path_;
  std::string_view text_;
  Vocabulary& vocabulary_;
  std::vector<std::int32_t> tokens_;
  std::size_t word_ = 0, line_ = 0;  // where the word and the line in work begin
  std::int64_t line_number_ = 1;
};

}  // namespace

std::int32_t Vocabulary::add(std::string_view word) {
  const auto found = numbers_.find(word);
  if (found != numbers_.end()) return found->second;
  const auto number = static_cast<std::int32_t>(words_.size());
  numbers_.emplace(words_.emplace_back(word), number);
  return number;
}

std::vector<std::int32_t> tokens_of(const std::filesystem::path& path, Vocabulary& vocabulary) {
  const std::string text = read_whole(path);
  std::vector<std::int32_t> tokens = Tokenizer(path, text, vocabulary).tokens();
  if (tokens.empty()) refuse(path, "the file holds a byte-order mark alone; every split needs text");
  return tokens;
}

}  // namespace mixop::corpus
