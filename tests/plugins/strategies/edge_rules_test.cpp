#include <ATen/ATen.h>

#include <cmath>

#include "host/graph/check.hpp"
#include "host/graph/edge_rule.hpp"
#include "host/graph/operator_catalog.hpp"
#include "host/runtime/plain_block.hpp"
#include "tests/catch.hpp"
#include "tests/host/plugins/temporary_folder.hpp"
#include "tests/host/search/watched_search.hpp"
#include "tests/support/small_search.hpp"

namespace {

using namespace mixop;

std::int64_t divisor(const std::string& part, const std::map<std::string, std::string>& options = {}) {
  return make_part<EdgeRule>(test::plugins(), part, {{part, options}})->rule().channel_divisor;
}

Config partial(std::int64_t channels) {
  Config config = test::small_config(2);
  config.space.channels = channels;
  config.strategy["edge_rule"] = "partial_channels";
  return config;
}

TEST_CASE("a divisor below 1 is refused", "[strategy][misuse]") {
  for (const char* bad : {"0", "-4"})
    CHECK_THROWS_WITH(divisor("partial_channels", {{"divisor", bad}}),
                      Catch::Contains("partial_channels.divisor: expected a number from 1 on, found " +
                                      std::string(bad)));
}

TEST_CASE("channels that the divisor does not divide are refused before the first step", "[strategy][misuse]") {
  CHECK_THROWS_WITH(Search(partial(2), test::plugins(), {}, test::tiny_data()),
                    Catch::Contains("strategy.edge_rule: expected channels that 4 divides, as many out as in, found 2"));
}

TEST_CASE("no edge rule leaves all channels, partial channels a fourth or what is asked for", "[strategy]") {
  CHECK(divisor("none") == 1);
  CHECK(divisor("partial_channels") == 4);
  CHECK(divisor("partial_channels", {{"divisor", "2"}}) == 2);
}

TEST_CASE("the edges into a node are weighed by the softmax of their own alphas", "[strategy]") {
  NetworkGraph graph;
  AlphaSet set;
  set.name = "alphas_normal";
  set.topology.edges = {{0, 2}, {1, 2}, {0, 3}, {1, 3}, {2, 3}};
  set.topology.operations = {"a", "b"};
  graph.alphas = {set};
  const NetworkGraph weighed = with_rule(graph, {1, true});
  REQUIRE(weighed.alphas.size() == 2);
  CHECK(weighed.alphas[1].name == "betas_normal");
  CHECK(weighed.alphas[1].shape() == std::vector<std::int64_t>{5, 1});
  CHECK(weighed.alphas[1].weighs == 0);
  CHECK(unused_alphas(weighed) == std::vector<std::string>{"alphas_normal", "betas_normal"});

  const auto softmax = make_part<Relaxation>(test::plugins(), "softmax", {});
  const auto numbers = at::TensorOptions(at::kDouble);
  const at::Tensor alphas = at::tensor({0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, std::log(3.0)}, numbers).view({5, 2});
  at::Tensor betas = at::tensor({0.0, std::log(3.0), 0.0, std::log(2.0), 0.0}, numbers).view({5, 1}).requires_grad_(true);
  const std::vector<Relaxed> relaxed = relax(*softmax, weighed.alphas, {alphas, betas}, {});
  const at::Tensor edges = at::tensor({0.25, 0.75, 0.25, 0.5, 0.25}, numbers).view({5, 1});
  CHECK(at::allclose(relaxed[1].weights, edges, 0, 1e-15));
  CHECK(at::allclose(relaxed[0].weights, at::softmax(alphas, -1) * edges, 0, 1e-15));
  relaxed[0].weights[4][1].backward();  // 0.75 of its own weight; its derivative by the betas of its node
  CHECK(at::allclose(betas.grad().view({5}), at::tensor({0.0, 0.0, -0.0625, -0.125, 0.1875}, numbers) * 0.75, 0, 1e-15));

  CHECK(with_rule(graph, {1, false}).alphas.size() == 1);
  graph.alphas[0].name = "alphas";
  CHECK(with_rule(graph, {1, true}).alphas[1].name == "betas");
  graph.alphas[0].name = "own";
  CHECK(with_rule(graph, {1, true}).alphas[1].name == "betas_own");
}

TEST_CASE("an edge's weight multiplies the channels that pass its operations by, too", "[strategy]") {
  NetworkGraph graph;
  AlphaSet set;
  set.name = "alphas";
  set.topology.edges = {{0, 2}, {1, 2}};
  set.topology.operations = {"skip_connect"};
  graph.alphas = {set};
  Block block;
  block.cell.inputs = 2;
  block.cell.output = {2};
  for (int from = 0; from < 2; ++from) {
    Choice choice;
    choice.candidates = {"skip_connect"};
    choice.spec = {4, 4, 1, false};
    choice.alphas = {0, 0, from};
    block.cell.edges.push_back({std::to_string(from), from, 2, choice});
  }
  block.reads = {-1, -1};
  graph.blocks = {block};
  const NetworkGraph weighed = with_rule(graph, {2, true});
  const PlainBlock plain(weighed.blocks[0], RegistryCatalog(test::plugins()), {at::kCPU, at::kDouble});
  const auto softmax = make_part<Relaxation>(test::plugins(), "softmax", {});
  const auto numbers = at::TensorOptions(at::kDouble);
  const at::Tensor betas = at::tensor({0.0, std::log(3.0)}, numbers).view({2, 1});
  const std::vector<Relaxed> relaxed = relax(*softmax, weighed.alphas, {at::zeros({2, 1}, numbers), betas}, {});
  RelaxedRows rows(weighed.alphas, relaxed);
  const at::Tensor x = at::rand({2, 4, 3, 3}, numbers), y = at::rand({2, 4, 3, 3}, numbers);
  CHECK(at::allclose(plain.forward({x, y}, rows, Pass(), 1), at::channel_shuffle(0.25 * x + 0.75 * y, 2), 0, 1e-15));
}

TEST_CASE("a search of partial channels has smaller operations and resumes to the same bits", "[strategy][resume]") {
  const test::TemporaryFolder folder;
  REQUIRE(test::run_to(partial(8), folder.path() / "whole.h5") == RunEnd::finished);
  REQUIRE(test::run_to(partial(8), folder.path() / "stopped.h5", 5) == RunEnd::interrupted);
  REQUIRE(test::run_to(partial(8), folder.path() / "stopped.h5", -1, /*resume=*/true) == RunEnd::finished);
  CHECK(test::differences(folder.path() / "whole.h5", folder.path() / "stopped.h5").empty());
  const Archive archive = Archive::open(folder.path() / "whole.h5");
  CHECK(archive.array("/alphas/betas_normal").shape == std::vector<std::uint64_t>{3, 5, 1});
  CHECK(archive.texts("/operations/betas_normal") == std::vector<std::string>{"edge"});
  CHECK(archive.array("/weights/cells.0._ops.0._ops.4.op.1.weight").shape == std::vector<std::uint64_t>{2, 1, 3, 3});
}

}  // namespace
