#include "host/search/archived_run.hpp"

#include <ATen/ATen.h>

#include "tests/catch.hpp"
#include "tests/host/search/altered_run.hpp"

using namespace mixop;
using test::with_tensor;
using test::with_texts;

namespace {

/// A space of one cell that remembers what it was asked for, or refuses it.
class AskedSpace final : public SearchSpace {
 public:
  explicit AskedSpace(bool refuses = false) : refuses_(refuses) {}
  std::string summary() const override { return "For tests."; }
  SpaceDefaults defaults() const override { return {}; }
  NetworkGraph search(const SpaceConfig& config) const override {
    if (refuses_) throw Error(ErrorCode::usage, "space.nodes: too many");
    asked = config;
    return {};
  }
  NetworkGraph network(const SpaceConfig&, const Genotype&) const override { return {}; }
  const std::vector<NamedGenotype>& genotypes() const override {
    static const std::vector<NamedGenotype> none;
    return none;
  }

  mutable SpaceConfig asked;

 private:
  bool refuses_;
};

/// What reading the last alphas says of an altered run.
std::string problem(const std::vector<test::Alteration>& alterations, const SearchSpace& space) {
  static const test::AlteredRun altered;
  return altered.problem(alterations, [&](Archive archive) {
    const ArchivedRun run(std::move(archive), {});
    run.alphas(run.epochs(), space);
  });
}

Part<SearchSpace> darts() { return make_part<SearchSpace>(test::plugins(), "darts_cnn", {}); }

}  // namespace

TEST_CASE("the alphas of every row of a run are read", "[search][archive]") {
  const test::AlteredRun altered;
  const ArchivedRun run(altered.open({}), {});
  CHECK(run.epochs() == 1);
  CHECK(run.alphas(1, *darts()).alphas.at(0).sizes() == at::IntArrayRef({5, 8}));
  CHECK_THROWS_WITH(run.alphas(2, *darts()), altered.file().string() + " holds the epochs 0 (the start) to 1, not 2");
}

TEST_CASE("alphas that the config's space does not declare are refused", "[search][archive][hostile]") {
  CHECK(problem({}, *darts()).empty());
  CHECK(problem({with_tensor("/alphas/alphas_normal", at::zeros({2, 3, 8}))}, *darts()) ==
        "/alphas/alphas_normal: expected the shape [2, 5, 8], which the config's space means, found [2, 3, 8]");
  CHECK(problem({with_tensor("/alphas/alphas_normal", at::zeros({2, 5, 1})),
                 with_texts("/operations/alphas_normal", {"none"})},
                *darts()) ==
        "/alphas/alphas_normal: expected the shape [2, 5, 8], which the config's space means, found [2, 5, 1]");
  CHECK(problem({test::without("/alphas/alphas_reduce")}, *darts()) == "/alphas/alphas_reduce: is not there");
  const auto operations = test::short_config().space.operations;
  auto others = operations;
  others.front() = "other";
  CHECK(problem({with_texts("/operations/alphas_normal", others)}, *darts()) ==
        "/operations/alphas_normal: expected the operations none, max_pool_3x3, avg_pool_3x3, skip_connect, "
        "sep_conv_3x3, sep_conv_5x5, dil_conv_3x3, dil_conv_5x5, found other, max_pool_3x3, avg_pool_3x3, "
        "skip_connect, sep_conv_3x3, sep_conv_5x5, dil_conv_3x3, dil_conv_5x5");
}

TEST_CASE("runs are checked before anything is read of them", "[search][archive][hostile]") {
  CHECK(problem({with_texts("/genotypes", {})}, *darts()) ==
        "/genotypes: expected 2, one for the start and each epoch, found 0");
  CHECK(problem({with_texts("/config/resolved", {R"({"search": {"epochs": 3, "epoch": 3}})"})}, *darts())
            .rfind("/config/resolved:1:26: unknown key 'search.epoch'", 0) == 0);
}

TEST_CASE("a space is asked with all that the run's config says of it", "[search][archive]") {
  const AskedSpace space;
  CHECK(problem({}, space).empty());
  CHECK(space.asked.channels == 2);
  CHECK(space.asked.layers == 3);
  CHECK(space.asked.nodes == 2);
  CHECK(space.asked.operations == test::short_config().space.operations);
  CHECK(space.asked.stem == "cifar");
}

TEST_CASE("a config that its space refuses is the archive's fault", "[search][archive][hostile]") {
  CHECK(problem({}, AskedSpace(true)) == "/config/resolved: space.nodes: too many");
}
