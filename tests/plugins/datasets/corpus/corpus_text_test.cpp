#include <cstdio>
#include <cstdlib>
#include <memory>
#include <sstream>

#include "mixop/random.hpp"
#include "tests/plugins/datasets/corpus/corpus_files.hpp"

using mixop::Error;
using mixop::ErrorCode;
using namespace std::string_literals;

namespace {

/// The train split's words where the train text is `text`.
std::string train_words(const std::string& text) {
  const TempFolder folder;
  write_texts(folder, {text, "v\n", "t\n"});
  return words_of(open_corpus("corpus", folder.text()), MIXOP_SPLIT_TRAIN);
}

/// What the train text is refused with, after its path.
std::string refusal(const std::string& text) {
  const TempFolder folder;
  write_texts(folder, {text, "v\n", "t\n"});
  const Error error = error_of([&] { open_corpus("corpus", folder.text()); });
  CHECK(error.code() == ErrorCode::bad_data);
  const std::string start = "data set 'corpus': " + folder.text() + "/train.txt: ", what = error.what();
  REQUIRE(what.rfind(start, 0) == 0);
  return what.substr(start.size());
}

std::string utf8(std::uint32_t c) {
  const auto byte = [](std::uint32_t value) { return std::string(1, static_cast<char>(value)); };
  const auto tail = [&](int shift) { return byte(0x80 | (c >> shift & 0x3f)); };
  if (c < 0x80) return byte(c);
  if (c < 0x800) return byte(0xc0 | c >> 6) + tail(0);
  if (c < 0x10000) return byte(0xe0 | c >> 12) + tail(6) + tail(0);
  return byte(0xf0 | c >> 18) + tail(12) + tail(6) + tail(0);
}

/// The published reading in Python: a line of tokens for each split of the folder, then the words in hexadecimal.
std::string python_reading(const std::string& folder) {
  const TempFolder scratch;
  const std::string script =
      scratch.write("reading.py",
                    "import sys\n"
                    "ids = {}\n"
                    "for split in 'train', 'valid', 'test':\n"
                    "    with open(f'{sys.argv[1]}/{split}.txt', encoding='utf-8') as file:\n"
                    "        print(*[ids.setdefault(w, len(ids)) for line in file for w in line.split() + ['<eos>']])\n"
                    "print(*[w.encode().hex() for w in ids])\n");
  const char* python = std::getenv("MIXOP_PYTHON");
  const std::string command = (python != nullptr ? python : "python3") + " "s + script + " '" + folder + "'";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  REQUIRE(pipe != nullptr);
  std::string output(1 << 16, '\0'), all;
  while (const std::size_t got = std::fread(output.data(), 1, output.size(), pipe.get())) all.append(output, 0, got);
  REQUIRE_FALSE(all.empty());
  return all;
}

/// The same text from an open data set.
std::string own_reading(const mixop::DatasetHandle& data) {
  std::string text;
  const auto line = [&](const auto& items, const auto& shown) {
    for (std::size_t i = 0; i < items.size(); ++i) text += (i == 0 ? "" : " ") + shown(items[i]);
    text += "\n";
  };
  for (int split = 0; split < MIXOP_SPLIT_COUNT; ++split)
    line(tokens_of(data, split), [](std::int64_t token) { return std::to_string(token); });
  line(data.info().class_names, [](const std::string& word) {
    std::string digits;
    for (const char c : word) {
      digits += "0123456789abcdef"[static_cast<std::uint8_t>(c) >> 4];
      digits += "0123456789abcdef"[static_cast<std::uint8_t>(c) & 15];
    }
    return digits;
  });
  return text;
}

}  // namespace

TEST_CASE("text that is no UTF-8 is refused with its line and byte", "[corpus][misuse]") {
  const auto [bytes, first] = GENERATE(table<std::string, std::string>({
      {"\xe9t\xe9", "0xe9"},         // Latin-1
      {"\x80", "0x80"},              // a continuation alone
      {"\xc0\xaf", "0xc0"},          // overlong forms
      {"\xe0\x80\xaf", "0xe0"},      //
      {"\xf0\x80\x80\xaf", "0xf0"},  //
      {"\xed\xa0\x80", "0xed"},      // a surrogate
      {"\xf4\x90\x80\x80", "0xf4"},  // beyond U+10FFFF
      {"\xf8\x88\x80\x80\x80", "0xf8"},
      {"\xff\xfe", "0xff"},  // UTF-16's byte-order mark
  }));
  CHECK(refusal("one\ntwo " + bytes + " three\n") ==
        "line 2 is no UTF-8: it has " + first + " at byte 5; convert the file to UTF-8 (iconv)");
}

TEST_CASE("a character cut off by the file's end is refused", "[corpus][misuse]") {
  CHECK(refusal("ab\xe2\x82") == "line 1 is no UTF-8: it has 0xe2 at byte 3; convert the file to UTF-8 (iconv)");
}

TEST_CASE("a NUL and a word without end are refused", "[corpus][misuse]") {
  const std::string longest(4096, 'x');
  CHECK(refusal("a\nb\0c\n"s) == "line 2 has a NUL at byte 2; expected text, found something else");
  CHECK(refusal(longest + "x\n") ==
        "line 1 has a word of 4097 bytes, at most 4096 are read; expected words between white space");
  CHECK(train_words(longest) == longest + "|<eos>");
}

TEST_CASE("a read outside a split is refused", "[corpus][misuse]") {
  const TempFolder folder;
  write_texts(folder, {"a b\n", "v\n", "t\n"});
  const mixop::DatasetHandle data = open_corpus("corpus", folder.text());
  std::int64_t token = 0;
  CHECK(error_of([&] { data.read(MIXOP_SPLIT_TRAIN, 3, 1, nullptr, &token); }).what() ==
        "data set 'corpus', split 'train': it has 3 records, asked for 1 from 3"s);
}

TEST_CASE("words are numbered in order of first appearance over train, valid and test", "[corpus]") {
  const TempFolder folder;
  write_texts(folder, {"the cat the\nsat\n", "dog the\n", "cat emu <eos>\n"});
  const mixop::DatasetHandle data = open_corpus("corpus", folder.text());
  CHECK(data.info().class_names == std::vector<std::string>{"the", "cat", "<eos>", "sat", "dog", "emu"});
  CHECK(tokens_of(data, MIXOP_SPLIT_TRAIN) == std::vector<std::int64_t>{0, 1, 0, 2, 3, 2});
  CHECK(tokens_of(data, MIXOP_SPLIT_VALID) == std::vector<std::int64_t>{4, 0, 2});
  CHECK(tokens_of(data, MIXOP_SPLIT_TEST) == std::vector<std::int64_t>{1, 5, 2, 2});
  std::int64_t middle[2];
  data.read(MIXOP_SPLIT_TRAIN, 3, 2, nullptr, middle);
  CHECK(middle[0] == 2);
  CHECK(middle[1] == 3);
}

TEST_CASE("every line ends with <eos>, whatever ends it", "[corpus]") {
  CHECK(train_words("a b\nc\n") == "a|b|<eos>|c|<eos>");
  CHECK(train_words("a b\nc") == "a|b|<eos>|c|<eos>");
  CHECK(train_words("a b\r\nc\r\n") == "a|b|<eos>|c|<eos>");
  CHECK(train_words("a\rb\r\r\nc\r") == "a|<eos>|b|<eos>|<eos>|c|<eos>");
  CHECK(train_words("\n\n a \n") == "<eos>|<eos>|a|<eos>");
  CHECK(train_words("a\n ") == "a|<eos>|<eos>");
  CHECK(train_words(" ") == "<eos>");
}

TEST_CASE("a byte-order mark is left out at the start alone", "[corpus]") {
  CHECK(train_words("\xef\xbb\xbf"
                    "a\n") == "a|<eos>");
  CHECK(train_words("\xef\xbb\xbf\n") == "<eos>");
  CHECK(train_words("a \xef\xbb\xbf"
                    "b\n") ==
        "a|\xef\xbb\xbf"
        "b|<eos>");
}

TEST_CASE("a line of a million words is one line", "[corpus]") {
  std::string text;
  for (int i = 0; i < 1000000; ++i) text += "w" + std::to_string(i % 100) + " ";
  const TempFolder folder;
  write_texts(folder, {text, "w0\n", "w0\n"});
  const mixop::DatasetHandle data = open_corpus("corpus", folder.text());
  CHECK(data.info().records[MIXOP_SPLIT_TRAIN] == 1000001);
  CHECK(data.info().classes == 101);
}

TEST_CASE("words and lines are Python's, for every code point", "[corpus]") {
  // Every code point between two letters, and mixtures in which white space and line ends are frequent.
  std::string each, mixed;
  for (std::uint32_t c = 1; c <= 0x10ffff; ++c) {
    // A mark at the start of the text is ours to leave out; this text starts with a letter.
    if (c < 0xd800 || c > 0xdfff) each += "a" + utf8(c) + (c < 0x4000 ? "b" : "");
    if (c % 64 == 0) each += "\n";
  }
  const std::uint32_t frequent[] = {'\n', '\r', ' ', '\t', 0x85, 0xa0, 0x2003, 0x2028, 0x3000, 0xfeff, 'x', 0x1f600};
  mixop::RandomStream random(1);
  mixed = "x";
  for (int i = 0; i < 20000; ++i) mixed += utf8(frequent[random.below(std::size(frequent))]);
  const TempFolder folder;
  write_texts(folder, {each, mixed, mixed + "last"});
  CHECK((own_reading(open_corpus("corpus", folder.text())) == python_reading(folder.text())));
}

TEST_CASE("the sets below MIXOP_DATA read as Python reads them", "[corpus]") {
  const auto [component, below] =
      GENERATE(table<std::string, std::string>({{"ptb", "ptb"}, {"wikitext2", "wikitext-2"}}));
  const char* data_folder = std::getenv("MIXOP_DATA");
  const std::string folder = (data_folder != nullptr ? data_folder : "") + "/"s + below;
  if (data_folder == nullptr || !std::filesystem::exists(folder + "/train.txt")) {
    WARN("not compared: MIXOP_DATA names no folder with " << below << "/train.txt");
    return;
  }
  CHECK((own_reading(open_corpus(component, data_folder)) == python_reading(folder)));
}
