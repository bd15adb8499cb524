#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "mixop/gradients.hpp"
#include "tests/catch.hpp"
#include "tests/support/plugins.hpp"

namespace {

using namespace mixop;
using Options = std::map<std::string, std::string>;

/// A cell of two inputs and two nodes: five edges of these operations, in so many cells of their own (0: shared).
SearchedSet searched(std::vector<std::string> operations, int cells = 0) {
  SearchedSet set;
  set.set.name = "alphas";
  set.set.topology.operations = std::move(operations);
  set.set.topology.edges = {{0, 2}, {1, 2}, {0, 3}, {1, 3}, {2, 3}};
  set.set.per_cell = cells > 0;
  for (int cell = 0; cell < cells; ++cell) set.set.cells.push_back(cell);
  return set;
}

Part<Schedule> make(const std::string& name, const std::vector<SearchedSet>& sets, const Options& options = {}) {
  auto made = make_part<Schedule>(test::plugins(), name, {{name, options}});
  made->begin(sets);
  return made;
}

at::Tensor dropped(const Schedule& schedule, SearchPosition at, std::size_t set = 0) {
  const std::vector<at::Tensor> all = schedule.plan(at).dropped;
  REQUIRE(all.size() > set);
  return all[set];
}

std::int64_t count(const at::Tensor& flags) { return flags.sum().item<std::int64_t>(); }

// --- Stages

TEST_CASE("stages are of equal length, each with a network of its own that is deeper", "[strategy][stages]") {
  const auto stages = make("stages", {searched({"none", "a", "b"})});
  for (const auto& [epoch, first, layers] : {std::tuple{0, 0, 0}, {24, 0, 0}, {25, 25, 6}, {49, 25, 6}, {50, 50, 12}, {74, 50, 12}}) {
    const SearchStage stage = stages->plan({epoch, 75, 0}).stage.value();
    CHECK(stage == SearchStage{first, first + 25, first, layers, 1});
  }
  CHECK(stages->plan({1, 2, 0}).stage.value() == SearchStage{1, 2, 1, 6, 1});  // no more stages than epochs
  CHECK(make("stages", {}, {{"count", "2"}, {"layers", "0"}})->plan({9, 11, 0}).stage.value() == SearchStage{5, 11, 5, 0, 1});
}

TEST_CASE("of eight operations the published 5 and 3 are left, the strongest of every edge", "[strategy][stages]") {
  const std::vector<SearchedSet> sets{searched({"none", "a", "b", "c", "d", "e", "f", "g"})};
  const auto stages = make("stages", sets);
  std::vector<AlphaSet> alphas{sets[0].set};
  at::manual_seed(4);
  const std::vector<at::Tensor> first{at::rand({5, 8}).softmax(-1)};
  EpochEnd end;
  end.alphas = &alphas;
  end.relaxed = &first;
  end.at = {24, 75, 0};
  stages->decide(end);
  CHECK(stages->plan({24, 75, 0}).dropped.empty());
  end.at.epoch = 25;
  stages->decide(end);
  const at::Tensor after_first = dropped(*stages, {25, 75, 0});
  CHECK(at::equal(after_first, first[0] < std::get<0>(first[0].topk(5, -1)).select(-1, 4).unsqueeze(-1)));
  // What has been dropped has no weight any more, and stays dropped.
  const std::vector<at::Tensor> second{at::rand({5, 8}).masked_fill(after_first, 0)};
  end.relaxed = &second;
  end.at.epoch = 50;
  stages->decide(end);
  const at::Tensor after_second = dropped(*stages, {50, 75, 0});
  CHECK(at::equal(after_second, second[0] < std::get<0>(second[0].topk(3, -1)).select(-1, 2).unsqueeze(-1)));
  CHECK(stages->measured().at("operations_left") == 15);
  end.at.epoch = 75;  // what the last stage leaves, the deriver judges
  stages->decide(end);
  CHECK(at::equal(dropped(*stages, {75, 75, 0}), after_second));
}

TEST_CASE("cells with alphas of their own drop each their own, and sets that weigh edges none", "[strategy][stages]") {
  const std::vector<SearchedSet> sets{searched({"none", "a", "b", "c"}, 2)};
  const auto stages = make("stages", sets, {{"count", "2"}, {"last", "0.5"}});
  AlphaSet betas = sets[0].set;
  betas.weighs = 0;
  const std::vector<AlphaSet> alphas{sets[0].set, betas};
  at::manual_seed(5);
  const std::vector<at::Tensor> relaxed{at::rand({2, 5, 4}), at::rand({2, 5, 1})};
  EpochEnd end;
  end.alphas = &alphas;
  end.relaxed = &relaxed;
  end.at = {1, 2, 0};
  stages->decide(end);
  CHECK(stages->plan(end.at).dropped.size() == 1);
  CHECK(at::equal(dropped(*stages, end.at), relaxed[0] < std::get<0>(relaxed[0].topk(2, -1)).select(-1, 1).unsqueeze(-1)));
}

TEST_CASE("a state goes from one stages to the next, and one of other sets is refused", "[strategy][stages]") {
  const std::vector<SearchedSet> sets{searched({"none", "a", "b", "c"})};
  const auto first = make("stages", sets), second = make("stages", sets);
  const std::vector<AlphaSet> alphas{sets[0].set};
  const std::vector<at::Tensor> relaxed{at::arange(20).view({5, 4}).to(at::kFloat)};
  EpochEnd end;
  end.alphas = &alphas;
  end.relaxed = &relaxed;
  end.at = {1, 3, 0};
  first->decide(end);
  second->load(first->save());
  CHECK(at::equal(dropped(*second, end.at), dropped(*first, end.at)));
  CHECK_THROWS_WITH(make("stages", {searched({"none", "a"})})->load(first->save()),
                    Catch::Matchers::Contains("the schedule stages finds no 'dropped_0' of zeros and ones in the shape of 'alphas'"));
}

// --- Perturbation

/// A network that does as well as the sum of what its operations are worth.
struct Worth {
  std::vector<AlphaSet> alphas;
  std::vector<at::Tensor> worth, relaxed;
  int measured = 0;

  explicit Worth(const std::vector<SearchedSet>& sets) {
    at::manual_seed(6);
    for (const SearchedSet& searched : sets) {
      alphas.push_back(searched.set);
      relaxed.push_back(at::rand(searched.set.shape(), at::kDouble).softmax(-1));
      worth.push_back(at::rand(searched.set.shape(), at::kDouble));
    }
  }
  EpochEnd end(SearchPosition at, const Schedule& schedule) {
    EpochEnd end;
    end.at = at;
    end.key = static_cast<std::uint64_t>(at.epoch);
    end.alphas = &alphas;
    end.relaxed = &relaxed;
    end.edge_weights = [this, at, &schedule] {
      std::vector<Relaxed> all;
      const std::vector<at::Tensor> gone = schedule.plan(at).dropped;
      for (std::size_t i = 0; i < relaxed.size(); ++i)
        all.push_back({gone.empty() ? relaxed[i].clone() : relaxed[i].masked_fill(gone[i], 0)});
      return all;
    };
    end.measure = [this](const std::vector<Relaxed>& edge_weights) {
      ++measured;
      double sum = 0;
      for (std::size_t i = 0; i < worth.size(); ++i) {
        for (std::int64_t k = 0; k < worth[i].numel() && !edge_weights[i].active.empty(); ++k)
          CHECK((edge_weights[i].active[static_cast<std::size_t>(k)] || edge_weights[i].weights.view(-1)[k].item<double>() == 0));
        sum += (edge_weights[i].weights * worth[i]).sum().item<double>();
      }
      return NetworkScore{-sum, sum};
    };
    return end;
  }
};

TEST_CASE("every edge keeps the operation that is missed most, and every node its edges, whatever the alphas are",
          "[strategy][perturbation]") {
  for (const char* by : {"accuracy", "loss"})
    for (const int cells : {0, 2}) {
      INFO(by << ", cells " << cells);
      const std::vector<SearchedSet> sets{searched({"none", "a", "b", "c"}, cells), searched({"a", "b", "none"})};
      Worth network(sets);
      const auto part = make("perturbation", sets, {{"by", by}, {"start", "0.25"}});
      for (std::int64_t epoch = 1; epoch <= 8; ++epoch) part->decide(network.end({epoch, 8, 0}, *part));
      const SearchPosition last{8, 8, 0};
      for (std::size_t set = 0; set < 2; ++set) {
        const std::int64_t none = set == 0 ? 0 : 2;
        at::Tensor missed = network.relaxed[set] * network.worth[set];
        missed.select(-1, none).fill_(-1);
        at::Tensor expected = at::zeros_like(missed, at::kBool).scatter_(-1, missed.argmax(-1, true), true);
        // Of node 3 the edge goes whose operation is worth least.
        const at::Tensor of_node = missed.amax(-1).narrow(-1, 2, 3), least = of_node.argmin(-1) + 2;
        expected = expected.logical_and(at::arange(5).ne(least.unsqueeze(-1)).unsqueeze(-1));
        CHECK(at::equal(dropped(*part, last, set).logical_not(), expected));
      }
    }
}

TEST_CASE("decisions lie evenly between the start and the end, with a rate of their own", "[strategy][perturbation]") {
  const std::vector<SearchedSet> sets{searched({"none", "a", "b"})};  // five edges and one node: six decisions
  Worth network(sets);
  const auto part = make("perturbation", sets);
  std::vector<std::int64_t> left;
  for (std::int64_t epoch = 1; epoch <= 25; ++epoch) {
    part->decide(network.end({epoch, 25, 0}, *part));
    left.push_back(static_cast<std::int64_t>(part->measured().at("operations_left")));
  }
  CHECK(left == std::vector<std::int64_t>{15, 15, 15, 15, 15, 15, 15, 15, 15, 13, 13, 13, 11, 11, 11, 9, 9, 9, 7, 7, 7, 5, 5, 5, 4});
  CHECK(part->plan({9, 25, 0}).stage.value() == SearchStage{0, 10, 0, 0, 1});
  CHECK(part->plan({10, 25, 0}).stage.value() == SearchStage{10, 25, 0, 0, 0.1});
  CHECK(network.measured == 5 * 2 + 3);
}

TEST_CASE("in one epoch all decisions fall together, and a part that goes on elsewhere decides no more",
          "[strategy][perturbation]") {
  const std::vector<SearchedSet> sets{searched({"none", "a", "b"})};
  Worth network(sets);
  const auto part = make("perturbation", sets), next = make("perturbation", sets);
  part->decide(network.end({1, 1, 0}, *part));
  CHECK(count(dropped(*part, {1, 1, 0}).logical_not()) == 4);
  next->load(part->save());
  network.measured = 0;
  next->decide(network.end({1, 1, 0}, *next));
  CHECK(network.measured == 0);
  CHECK(at::equal(dropped(*next, {1, 1, 0}), dropped(*part, {1, 1, 0})));
  CHECK_THROWS_WITH(next->load({}), Catch::Matchers::Contains("finds no number 'taken'"));
}

TEST_CASE("where genotypes list 'none' it may be what an edge keeps", "[strategy][perturbation]") {
  std::vector<SearchedSet> sets{searched({"none", "a"})};
  sets[0].set.topology.keeps_none = true;
  Worth network(sets);
  network.worth[0] = at::tensor({1.0, 0.0}, at::kDouble).repeat({5, 1});
  const auto part = make("perturbation", sets);
  part->decide(network.end({1, 1, 0}, *part));
  CHECK_FALSE(dropped(*part, {1, 1, 0}).select(-1, 0).narrow(0, 0, 2).any().item<bool>());
}

TEST_CASE("options beyond their bounds are refused", "[strategy][stages][perturbation][misuse]") {
  CHECK_THROWS_WITH(make("stages", {}, {{"count", "0"}}), "stages: stages.count: expected a number from 1 on, found 0");
  CHECK_THROWS_WITH(make("stages", {}, {{"last", "1.5"}}), "stages: stages.last: expected a number above 0 and at most 1, found 1.5");
  CHECK_THROWS_WITH(make("perturbation", {}, {{"start", "-1"}}), "perturbation: perturbation.start: expected a number from 0 to 1, found -1");
  CHECK_THROWS_WITH(make("perturbation", {}, {{"by", "size"}}), "perturbation: perturbation.by: expected accuracy or loss, found 'size'");
}

// --- What is dropped, in relaxations

TEST_CASE("what is dropped has no weight and no gradient in any relaxation, and the rest goes on as if it were all",
          "[strategy][sampling][dropped]") {
  at::manual_seed(7);
  const at::Tensor gone = at::tensor({0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1}, at::kInt).view({3, 5}).to(at::kBool);
  SearchedSet all = searched({"a", "b", "c", "d", "e"});
  all.set.topology.edges = {{0, 1}, {0, 2}, {1, 2}};
  for (const char* name : {"softmax", "sigmoid", "gumbel", "concrete", "dirichlet", "uniform_sample"})
    for (const Phase phase : {Phase::train, Phase::evaluate, Phase::derive}) {
      INFO(name << ", phase " << static_cast<int>(phase));
      const auto part = make_part<Relaxation>(test::plugins(), name, ComponentOptions{});
      const at::Tensor alphas = at::randn({3, 5}, at::kDouble).requires_grad_(true);
      for (std::uint64_t key = 0; key < 20; ++key) {
        const Relaxed relaxed = relax(*part, {all.set}, {alphas}, {{1, 9, 0}, phase, key}, {gone}).front();
        CHECK(relaxed.weights.masked_select(gone).abs().max().item<double>() == 0);
        CHECK(relaxed.weights.isfinite().all().item<bool>());
        for (std::int64_t k = 0; k < 15; ++k)
          CHECK_FALSE((relaxed.active.at(static_cast<std::size_t>(k)) && gone.view(-1)[k].item<bool>()));
        if (std::string(name) != "sigmoid")
          CHECK((relaxed.weights.sum(-1) - at::tensor({1, 1, 0}, at::kDouble)).abs().max().item<double>() < 1e-12);
        const at::Tensor gradient = gradients((relaxed.weights * at::arange(15).view({3, 5})).sum(), {alphas})[0];
        CHECK(gradient.isfinite().all().item<bool>());
        CHECK(gradient.masked_select(gone).abs().max().item<double>() == 0);
      }
    }
  const auto softmax = make_part<Relaxation>(test::plugins(), "softmax", ComponentOptions{});
  const at::Tensor alphas = at::randn({3, 5}, at::kDouble);
  const at::Tensor rest = relax(*softmax, {all.set}, {alphas}, {}, {gone}).front().weights[0].masked_select(gone[0].logical_not());
  CHECK((rest - alphas[0].masked_select(gone[0].logical_not()).softmax(-1)).abs().max().item<double>() < 1e-15);
}

TEST_CASE("an edge that is dropped has no share of its node's edge weights", "[strategy][dropped]") {
  SearchedSet all = searched({"a", "b"});
  AlphaSet betas = all.set;
  betas.name = "betas";
  betas.topology.operations = {"edge"};
  betas.weighs = 0;
  at::Tensor gone = at::zeros({5, 2}, at::kBool);
  gone[0].fill_(true);  // of node 2
  gone.narrow(0, 2, 3)[1].fill_(true);
  const auto softmax = make_part<Relaxation>(test::plugins(), "softmax", ComponentOptions{});
  at::manual_seed(8);
  const std::vector<at::Tensor> alphas{at::randn({5, 2}, at::kDouble), at::randn({5, 1}, at::kDouble)};
  const std::vector<Relaxed> relaxed = relax(*softmax, {all.set, betas}, alphas, {}, {gone, at::Tensor()});
  const at::Tensor edges = relaxed[0].edges.view(-1);
  CHECK(edges[0].item<double>() == 0);
  CHECK(edges[1].item<double>() == 1);
  CHECK(edges[3].item<double>() == 0);
  CHECK(edges[2].item<double>() + edges[4].item<double>() == Approx(1));
  CHECK((relaxed[0].weights.sum(-1) - edges).abs().max().item<double>() < 1e-15);
}

TEST_CASE("masks of another number, type or shape are the plugin's fault", "[strategy][dropped][misuse]") {
  const SearchedSet set = searched({"a", "b"});
  const auto thrown = [&](std::vector<at::Tensor> masks) {
    EpochPlan plan;
    plan.dropped = std::move(masks);
    CHECK_THROWS_WITH(dropped_of(plan, {set.set, set.set}), Catch::Matchers::Contains("; the plugin must be fixed"));
  };
  thrown({at::zeros({5, 2}, at::kBool)});
  thrown({at::zeros({5, 2}), at::zeros({5, 2})});
  thrown({at::zeros({5, 2}, at::kBool), at::zeros({4, 2}, at::kBool)});
}

}  // namespace
