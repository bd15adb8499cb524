#include "mixop/plugin.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "layout.hpp"
#include "mixop/dataset.hpp"
#include "vocabulary.hpp"

namespace mixop::corpus {
namespace {

constexpr FileNames kPtbNames[] = {{"", ".txt"}, {"ptb.", ".txt"}};
constexpr FileNames kWikiNames[] = {{"", ".txt"}, {"wiki.", ".tokens"}, {"wiki.", ".raw"}};
constexpr FileNames kPlainNames[] = {{"", ".txt"}};
constexpr const char *kPtbFolders[] = {"ptb", "penn"}, *kWikiFolders[] = {"wikitext-2", "wikitext-2-raw"};
constexpr const char* kRawNote =
    "the files are WikiText's raw text, whose rare words are written out: results compare with no published ones, "
    "which "
    "are of wiki.*.tokens";

/// Text as word numbers, whole in memory; one vocabulary over train, valid and test, in this order.
class Corpus : public Dataset {
 public:
  MixopDatasetInfo info() const final {
    MixopDatasetInfo info{};
    info.size = sizeof info;
    info.kind = MIXOP_DATA_TEXT;
    for (std::size_t split = 0; split < tokens_.size(); ++split)
      info.records[split] = static_cast<std::int64_t>(tokens_[split].size());
    info.classes = static_cast<std::int64_t>(word_pointers_.size());
    info.class_names = word_pointers_.data();
    info.files = file_pointers_.data();
    info.file_count = static_cast<std::uint32_t>(file_pointers_.size());
    info.notes = raw_ ? kRawNote : nullptr;
    return info;
  }

  void read(int split, std::int64_t first, std::int64_t count, std::uint8_t*, std::int64_t* targets) const final {
    std::copy_n(tokens_[static_cast<std::size_t>(split)].begin() + first, count, targets);
  }

 protected:
  Corpus(const std::string& folder, const Published& set) {
    const SplitFiles files = find_layout(folder, set);
    raw_ = files.front().extension() == ".raw";
    for (std::size_t split = 0; split < files.size(); ++split) {
      tokens_[split] = tokens_of(files[split], vocabulary_);
      files_[split] = files[split].string();
      file_pointers_[split] = files_[split].c_str();
    }
    for (const std::string& word : vocabulary_.words()) word_pointers_.push_back(word.c_str());
  }

 private:
  bool raw_ = false;
  Vocabulary vocabulary_;
  std::array<std::vector<std::int32_t>, MIXOP_SPLIT_COUNT> tokens_;
  std::array<std::string, MIXOP_SPLIT_COUNT> files_;
  std::vector<const char*> word_pointers_;
  std::array<const char*, MIXOP_SPLIT_COUNT> file_pointers_{};
};

/// Penn Treebank (Marcus et al. 1993) as Mikolov et al. (2010) prepared it.
class Ptb final : public Corpus {
 public:
  static constexpr char expects[] =
      "ptb/train.txt, valid.txt, test.txt; or ptb/ptb.train.txt, ptb.valid.txt, ptb.test.txt; or either in the "
      "folder penn, or without a folder";
  Ptb(const std::string& folder, const Options&) : Corpus(folder, {"Penn Treebank", kPtbFolders, kPtbNames}) {}
};

/// WikiText-2 (Merity et al. 2017).
class WikiText2 final : public Corpus {
 public:
  static constexpr char expects[] =
      "wikitext-2/train.txt, valid.txt, test.txt; or wikitext-2/wiki.train.tokens, wiki.valid.tokens, "
      "wiki.test.tokens; or wiki.train.raw, ... of the raw text; also in wikitext-2-raw, or without a folder";
  WikiText2(const std::string& folder, const Options&) : Corpus(folder, {"WikiText-2", kWikiFolders, kWikiNames}) {}
};

class AnyText final : public Corpus {
 public:
  static constexpr char expects[] = "train.txt, valid.txt and test.txt: any text in UTF-8, words between white space";
  AnyText(const std::string& folder, const Options&) : Corpus(folder, {"text", {}, kPlainNames}) {}
};

}  // namespace
}  // namespace mixop::corpus

MIXOP_PLUGIN("mixop.datasets.corpus", "0.1.0", "Text as word numbers: Penn Treebank, WikiText-2, any other.",
             mixop::dataset<mixop::corpus::Ptb>("ptb", "Penn Treebank."),
             mixop::dataset<mixop::corpus::WikiText2>("wikitext2", "WikiText-2."),
             mixop::dataset<mixop::corpus::AnyText>("corpus", "Text of one's own: train, valid and test files."));
