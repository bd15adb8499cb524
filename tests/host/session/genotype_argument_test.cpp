#include "host/session/genotype_argument.hpp"

#include "tests/catch.hpp"
#include "tests/support/plugins.hpp"

namespace {

using namespace mixop;

/// A genotype of a file that names no space: one gene of that operation in every cell.
GenotypeArgument listed(const std::vector<std::string>& cells, const std::string& operation) {
  GenotypeArgument argument;
  argument.title = "mine.json";
  for (const std::string& name : cells) argument.genotype.cells.push_back({name, {{operation, 0, 2}}, {2}});
  return argument;
}

TEST_CASE("a genotype without a space is of the one that declares its cells and operations", "[session]") {
  const auto space = [](const std::vector<std::string>& cells, const std::string& operation) {
    return space_of(listed(cells, operation), test::plugins());
  };
  CHECK(space({"normal", "reduce"}, "sep_conv_3x3") == "darts_cnn");
  CHECK(space({"recurrent"}, "tanh") == "darts_rnn");
  CHECK(space({"0", "1"}, "sep_conv_3x3") == "ddarts");
  CHECK(space({"0", "1"}, "conv_3x1_1x3") == "dartopti");
  CHECK(space({"normal", "reduce"}, "acme.ghost") == "darts_cnn");
  CHECK(space({"normal"}, "sep_conv_3x3") == "darts_cnn");  // which says what is missing
  GenotypeArgument known = listed({"normal"}, "tanh");
  known.space = "acme_space";
  CHECK(space_of(known, test::plugins()) == "acme_space");
}

TEST_CASE("a genotype whose cells no space declares is refused with what to say", "[session][misuse]") {
  CHECK(spaces_of(listed({"chain"}, "sep_conv_3x3"), test::plugins()).empty());
  CHECK_THROWS_WITH(space_of(listed({"chain"}, "sep_conv_3x3"), test::plugins()),
                    "mine.json: no space has cells of these names; name one by --space or space.name");
}

}  // namespace
