#include "host/data/token_set.hpp"

#include <cmath>
#include <numeric>

#include "tests/host/data/fake_dataset.hpp"
#include "tests/plugins/datasets/support.hpp"

using mixop::Error;
using mixop::ErrorCode;
using mixop::TokenColumns;
using mixop::TokenSet;

namespace {

/// Token i of a split is i % 3.
struct FakeText : FakeDataset {
  explicit FakeText(std::int64_t train = 12) {
    info.kind = MIXOP_DATA_TEXT;
    info.channels = info.height = info.width = 0;
    info.records[MIXOP_SPLIT_TRAIN] = train;
  }
};

void check_usage(const Error& error, const std::string& what) {
  CHECK(error.what() == what);
  CHECK(error.code() == ErrorCode::usage);
}

std::vector<std::int32_t> counted(std::int32_t size) {
  std::vector<std::int32_t> tokens(static_cast<std::size_t>(size));
  std::iota(tokens.begin(), tokens.end(), 0);
  return tokens;
}

}  // namespace

TEST_CASE("a token set of what is no text, or not there, is a usage error", "[data][text][misuse]") {
  FakeDataset images;
  check_usage(error_of([&] { TokenSet(images.handle(), MIXOP_SPLIT_TRAIN); }),
              "data set 'fake', split 'train': expected text, found images; choose a data set of text");
  FakeText text;
  check_usage(error_of([&] { TokenSet(text.handle(), MIXOP_SPLIT_VALID); }),
              "data set 'fake', split 'valid': it has no tokens; choose a data set that has this split");
  for (const std::int64_t limit : {13, -1})
    check_usage(error_of([&] { TokenSet(text.handle(), MIXOP_SPLIT_TRAIN, limit); }),
                "data set 'fake', split 'train': asked for the first " + std::to_string(limit) +
                    " tokens but it has 12; give 0 (all) to 12");
  check_usage(error_of([&] { TokenSet(text.handle(), 3); }), "split 3 does not exist; expected 0 (train) to 2 (test)");
}

TEST_CASE("columns that are too short for the text are a usage error", "[data][text][misuse]") {
  FakeText text;
  const TokenSet set(text.handle(), MIXOP_SPLIT_TRAIN);
  check_usage(error_of([&] { set.columns(7); }),
              "data set 'fake', split 'train': 12 tokens in 7 columns make 1 rows, expected 2 or more; give a batch of "
              "at most 6 or more text");
  check_usage(error_of([&] { set.columns(0); }), "the batch size must be 1 or more, found 0");
  CHECK(set.columns(6).rows() == 2);
}

TEST_CASE("a sequence outside the columns is a usage error", "[data][text][misuse]") {
  const auto tokens = counted(12);
  const TokenColumns columns(tokens, 3, "text");
  std::int64_t inputs[12], targets[12];
  for (const std::int64_t start : {3, -1})
    check_usage(error_of([&] { columns.fill(start, 1, inputs, targets); }),
                "a sequence from row " + std::to_string(start) + " of 4; the last one that has a target is row 2");
  check_usage(error_of([&] { columns.fill(0, 0, inputs, targets); }),
              "the length of a sequence must be 1 or more, found 0");
}

TEST_CASE("a token set holds the first tokens of a split", "[data][text]") {
  // More than two of the pieces that are read at a time.
  FakeText text(150000);
  const mixop::DatasetHandle data = text.handle();
  for (const std::int64_t limit : {0, 65536, 65537, 4}) {
    const TokenSet set(data, MIXOP_SPLIT_TRAIN, limit);
    REQUIRE(set.size() == (limit == 0 ? 150000 : limit));
    CHECK(set.vocabulary() == 3);
    for (std::int64_t i = 0; i < set.size(); ++i)
      if (set.tokens()[static_cast<std::size_t>(i)] != i % 3) FAIL("token " << i);
  }
}

TEST_CASE("columns are consecutive pieces of the text, the rest is left out", "[data][text]") {
  const auto tokens = counted(14);
  const TokenColumns columns(tokens, 3, "text");
  CHECK(columns.rows() == 4);
  CHECK(columns.batch() == 3);
  std::vector<std::int64_t> inputs(9), targets(9);
  REQUIRE(columns.fill(0, 3, inputs.data(), targets.data()) == 3);
  CHECK(inputs == std::vector<std::int64_t>{0, 4, 8, 1, 5, 9, 2, 6, 10});
  CHECK(targets == std::vector<std::int64_t>{1, 5, 9, 2, 6, 10, 3, 7, 11});
}

TEST_CASE("the text's end clips a sequence and leaves the rest of the buffers alone", "[data][text]") {
  const auto tokens = counted(14);
  const TokenColumns columns(tokens, 3, "text");
  std::vector<std::int64_t> inputs(9, -1), targets(9, -1);
  REQUIRE(columns.fill(2, 3, inputs.data(), targets.data()) == 1);
  CHECK(inputs == std::vector<std::int64_t>{2, 6, 10, -1, -1, -1, -1, -1, -1});
  CHECK(targets == std::vector<std::int64_t>{3, 7, 11, -1, -1, -1, -1, -1, -1});
}

TEST_CASE("unigram perplexity is exp of the entropy", "[data][text]") {
  CHECK(mixop::unigram_perplexity(std::vector<std::int32_t>{2, 2, 2}, 5) == 1.0);
  CHECK(mixop::unigram_perplexity(counted(7), 9) == Approx(7.0).epsilon(1e-14));
  // Shares 1/2, 1/4, 1/4: an entropy of 1.5 bits.
  CHECK(mixop::unigram_perplexity(std::vector<std::int32_t>{0, 1, 0, 2}, 3) == Approx(std::exp2(1.5)).epsilon(1e-14));
  check_usage(error_of([] { mixop::unigram_perplexity({}, 3); }), "no tokens have no perplexity; expected 1 or more");
}
