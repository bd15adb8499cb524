#include "host/plugins/option_values.hpp"

#include "mixop/error.hpp"
#include "mixop/options.hpp"
#include "tests/catch.hpp"

using mixop::OptionValues;

namespace {

constexpr MixopOptionSpec kSpecs[] = {
    {sizeof(MixopOptionSpec), MIXOP_OPTION_BOOL, "nesterov", "false", "Nesterov's momentum."},
    {sizeof(MixopOptionSpec), MIXOP_OPTION_INTEGER, "steps", "10", "Steps."},
    {sizeof(MixopOptionSpec), MIXOP_OPTION_REAL, "rate", "0.5", "Rate."},
    {sizeof(MixopOptionSpec), MIXOP_OPTION_TEXT, "stem", "auto", "Stem."},
    {sizeof(MixopOptionSpec), MIXOP_OPTION_LIST, "ops", "a,b", "Operators."}};

OptionValues make(const std::map<std::string, std::string>& given) { return {"sgd", kSpecs, 5, given}; }

}  // namespace

TEST_CASE("options take their defaults and the user's values over them", "[plugins][options]") {
  const OptionValues values = make({{"rate", "1e-3"}, {"nesterov", "true"}, {"ops", ""}});
  const mixop::Options read(values.data(), values.size());
  CHECK(read.real("rate") == 1e-3);
  CHECK(read.flag("nesterov"));
  CHECK(read.integer("steps") == 10);
  CHECK(read.text("stem") == "auto");
  CHECK(read.list("ops").empty());
  CHECK(values.values().size() == 5);
}

TEST_CASE("an option that is not declared is a usage error with the nearest one", "[plugins][options]") {
  CHECK_THROWS_WITH(make({{"step", "1"}}),
                    "unknown option of sgd 'step'; did you mean 'steps'? Known: nesterov, steps, rate, stem, ops");
}

TEST_CASE("a value that its type forbids is a usage error", "[plugins][options]") {
  CHECK_THROWS_WITH(make({{"nesterov", "yes"}}), "option sgd.nesterov: expected true or false, found 'yes'");
  CHECK_THROWS_WITH(make({{"steps", "1.5"}}), "option sgd.steps: expected an integer, found '1.5'");
  CHECK_THROWS_WITH(make({{"steps", "99999999999999999999"}}),
                    "option sgd.steps: expected an integer, found '99999999999999999999'");
  CHECK_THROWS_WITH(make({{"rate", "nan"}}), "option sgd.rate: expected a number, found 'nan'");
  CHECK_THROWS_WITH(make({{"rate", ""}}), "option sgd.rate: expected a number, found ''");
  try {
    make({{"rate", "x"}});
  } catch (const mixop::Error& error) {
    CHECK(error.code() == mixop::ErrorCode::usage);
  }
}
