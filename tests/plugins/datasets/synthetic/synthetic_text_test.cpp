#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "host/data/token_set.hpp"
#include "tests/plugins/datasets/support.hpp"

namespace {

mixop::DatasetHandle open_text(const std::map<std::string, std::string>& options = {}) {
  return mixop::DatasetHandle("synthetic_text", dataset_table("mixop_datasets_synthetic.so", "synthetic_text"), "",
                              options);
}

std::vector<std::int64_t> words(const mixop::DatasetHandle& data, int split, std::int64_t first, std::int64_t count) {
  std::vector<std::int64_t> read(static_cast<std::size_t>(count));
  data.read(split, first, count, nullptr, read.data());
  return read;
}

}  // namespace

TEST_CASE("drawn text has the asked sizes and stays in its vocabulary", "[synthetic][text]") {
  const auto data = open_text({{"vocabulary", "31"}, {"train", "900"}, {"valid", "50"}, {"test", "40"}});
  CHECK(data.info().kind == MIXOP_DATA_TEXT);
  CHECK(data.info().records == std::array<std::int64_t, 3>{900, 50, 40});
  CHECK(data.info().classes == 31);
  CHECK(data.info().class_names.front() == "<eos>");
  const auto all = words(data, MIXOP_SPLIT_TRAIN, 0, 900);
  CHECK(*std::min_element(all.begin(), all.end()) == 0);
  CHECK(*std::max_element(all.begin(), all.end()) < 31);
  for (std::size_t i = 7; i < all.size(); i += 8) CHECK(all[i] == 0);
}

TEST_CASE("a drawn word is a function of seed, split and position alone", "[synthetic][text]") {
  const auto data = open_text(), again = open_text({{"train", "500"}}), other = open_text({{"seed", "1"}});
  CHECK(words(data, MIXOP_SPLIT_TRAIN, 123, 300) == words(again, MIXOP_SPLIT_TRAIN, 123, 300));
  CHECK(words(data, MIXOP_SPLIT_TRAIN, 0, 300) != words(other, MIXOP_SPLIT_TRAIN, 0, 300));
  CHECK(words(data, MIXOP_SPLIT_TRAIN, 0, 300) != words(data, MIXOP_SPLIT_VALID, 0, 300));
}

TEST_CASE("what follows a word of drawn text is far less open than what stands anywhere", "[synthetic][text]") {
  const auto data = open_text({{"vocabulary", "400"}});
  const auto all = words(data, MIXOP_SPLIT_TRAIN, 0, 20000);
  std::map<std::int64_t, std::map<std::int64_t, int>> followers;
  for (std::size_t i = 0; i + 1 < all.size(); ++i) ++followers[all[i]][all[i + 1]];
  double likely = 0;
  for (const auto& [word, next] : followers)
    likely += std::max_element(next.begin(), next.end(), [](auto& a, auto& b) { return a.second < b.second; })->second;
  CHECK(likely / static_cast<double>(all.size()) > 0.4);  // guessing from the word before
  const mixop::TokenSet tokens(data, MIXOP_SPLIT_TRAIN);
  CHECK(mixop::unigram_perplexity(tokens.tokens(), 400) > 100);
}

TEST_CASE("options of drawn text out of range are refused", "[synthetic][text][misuse]") {
  CHECK(std::string(error_of([] {
                      open_text({{"vocabulary", "1"}});
                    }).what())
            .find("'vocabulary' must be 2 to 1000000, found 1") != std::string::npos);
  CHECK(std::string(error_of([] {
                      open_text({{"valid", "0"}});
                    }).what())
            .find("'valid' must be 2 to 1000000000, found 0") != std::string::npos);
}
