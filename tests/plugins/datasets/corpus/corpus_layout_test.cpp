#include "tests/plugins/datasets/corpus/corpus_files.hpp"

using mixop::Error;
using mixop::ErrorCode;

namespace {

Error refusal(const std::string& component, const std::string& folder) {
  return error_of([&] { open_corpus(component, folder); });
}

void check_bad_data(const Error& error, const std::string& what) {
  CHECK(error.what() == what);
  CHECK(error.code() == ErrorCode::bad_data);
}

void write_split_files(const TempFolder& folder, const std::string& prefix, const std::string& suffix,
                       const std::string& word) {
  for (const char* split : {"train", "valid", "test"}) folder.write(prefix + split + suffix, word + " " + split + "\n");
}

const std::string kTrial = "; unpack the set again, or for a trial copy another split";

}  // namespace

TEST_CASE("a missing text folder says what is expected", "[corpus][layout][misuse]") {
  const TempFolder folder;
  const std::string ptb =
      "expected ptb/ or penn/ or the folder itself with train.txt, valid.txt and test.txt, or with ptb.train.txt, "
      "ptb.valid.txt "
      "and ptb.test.txt";
  const Error none = refusal("ptb", "");
  CHECK(none.what() == "data set 'ptb': no data folder is given; pass --data DIR or set MIXOP_DATA; " + ptb);
  CHECK(none.code() == ErrorCode::usage);
  check_bad_data(
      refusal("ptb", folder.text() + "/absent"),
      "data set 'ptb': " + folder.text() + "/absent: the data folder does not exist or cannot be read; " + ptb);
  check_bad_data(refusal("ptb", folder.text()), "data set 'ptb': " + folder.text() +
                                                    ": no Penn Treebank in this folder; " + ptb +
                                                    "; unpack the set here or name another folder");
  check_bad_data(refusal("wikitext2", folder.text()),
                 "data set 'wikitext2': " + folder.text() +
                     ": no WikiText-2 in this folder; expected wikitext-2/ or wikitext-2-raw/ or the folder itself "
                     "with train.txt, valid.txt and test.txt, or with wiki.train.tokens, wiki.valid.tokens and "
                     "wiki.test.tokens, or with wiki.train.raw, wiki.valid.raw and wiki.test.raw; unpack the set here "
                     "or name another folder");
  check_bad_data(refusal("corpus", folder.text()),
                 "data set 'corpus': " + folder.text() +
                     ": no text in this folder; expected a folder with train.txt, valid.txt and test.txt; unpack the "
                     "set here or name another folder");
}

TEST_CASE("a missing split names the files that were looked for", "[corpus][layout][misuse]") {
  const TempFolder folder;
  folder.write("wikitext-2/wiki.valid.tokens", "a\n");
  folder.write("wikitext-2/wiki.test.tokens", "a\n");
  check_bad_data(refusal("wikitext2", folder.text()),
                 "data set 'wikitext2': " + folder.text() +
                     "/wikitext-2/wiki.train.tokens: the file is missing; expected wiki.train.tokens, "
                     "wiki.valid.tokens and wiki.test.tokens beside each other" +
                     kTrial);
}

TEST_CASE("an empty split and a folder in a split's place are refused", "[corpus][layout][misuse]") {
  const TempFolder folder;
  write_split_files(folder, "", ".txt", "a");
  SECTION("empty") {
    const std::string path = folder.write("valid.txt", "");
    check_bad_data(refusal("corpus", folder.text()),
                   "data set 'corpus': " + path +
                       ": the file is empty; every split needs text: unpack the set again, or for a trial copy another "
                       "split");
  }
  SECTION("a byte-order mark alone") {
    const std::string path = folder.write("test.txt", "\xef\xbb\xbf");
    check_bad_data(refusal("corpus", folder.text()),
                   "data set 'corpus': " + path + ": the file holds a byte-order mark alone; every split needs text");
  }
  SECTION("a folder") {
    std::filesystem::remove(folder.text() + "/valid.txt");
    std::filesystem::create_directory(folder.text() + "/valid.txt");
    check_bad_data(refusal("corpus", folder.text()),
                   "data set 'corpus': " + folder.text() + "/valid.txt: expected a file, found something else");
  }
}

TEST_CASE("a text set is found under its names, below the folder and in it", "[corpus][layout]") {
  const auto [component, prefix, suffix] = GENERATE(table<std::string, std::string, std::string>({
      {"ptb", "ptb/", ".txt"},
      {"ptb", "ptb/ptb.", ".txt"},
      {"ptb", "penn/", ".txt"},
      {"ptb", "penn/ptb.", ".txt"},
      {"ptb", "", ".txt"},
      {"ptb", "ptb.", ".txt"},
      {"wikitext2", "wikitext-2/", ".txt"},
      {"wikitext2", "wikitext-2/wiki.", ".tokens"},
      {"wikitext2", "wikitext-2-raw/wiki.", ".raw"},
      {"wikitext2", "wiki.", ".raw"},
      {"wikitext2", "", ".txt"},
      {"wikitext2", "wiki.", ".tokens"},
      {"corpus", "", ".txt"},
  }));
  INFO(component << " " << prefix << "*" << suffix);
  const TempFolder folder;
  write_split_files(folder, prefix, suffix, "a");
  const mixop::DatasetHandle data = open_corpus(component, folder.text());
  CHECK(data.info().kind == MIXOP_DATA_TEXT);
  CHECK(data.info().notes.size() == (suffix == ".raw" ? 1 : 0));
  CHECK(words_of(data, MIXOP_SPLIT_TRAIN) == "a|train|<eos>");
  CHECK(words_of(data, MIXOP_SPLIT_VALID) == "a|valid|<eos>");
  CHECK(words_of(data, MIXOP_SPLIT_TEST) == "a|test|<eos>");
  const std::string start = folder.text() + "/" + prefix;
  CHECK(data.info().files ==
        std::vector<std::string>{start + "train" + suffix, start + "valid" + suffix, start + "test" + suffix});
}

TEST_CASE("a complete layout goes before an incomplete one, the named folder before the folder itself",
          "[corpus][layout]") {
  const TempFolder folder;
  write_split_files(folder, "", ".txt", "outside");
  folder.write("ptb/train.txt", "incomplete\n");
  CHECK(open_corpus("ptb", folder.text()).info().class_names[0] == "outside");
  write_split_files(folder, "ptb/ptb.", ".txt", "inside");
  CHECK(open_corpus("ptb", folder.text()).info().class_names[0] == "inside");
}
