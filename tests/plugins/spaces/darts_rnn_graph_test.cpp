#include <functional>

#include "host/graph/check.hpp"
#include "host/graph/measure.hpp"
#include "mixop/error.hpp"
#include "tests/support/descriptions.hpp"

namespace {

using namespace mixop;

SpaceConfig small() {
  SpaceConfig config;
  config.width = 5;
  config.classes = 11;
  config.nodes = 3;
  config.operations = {"none", "tanh", "relu", "sigmoid", "identity"};
  return config;
}

TEST_CASE("the recurrent search is one cell of choices in a language model", "[space][rnn]") {
  const NetworkGraph graph = test::described_space("darts_rnn")->search(small());
  check(graph);
  CHECK(unused_alphas(graph).empty());
  CHECK(graph.domain == Domain::recurrent);
  REQUIRE((graph.blocks.size() == 1 && graph.language_model));
  const Cell& cell = graph.blocks[0].cell;
  CHECK((cell.name == "rnns.0" && cell.kind == "recurrent" && cell.inputs == 1));
  CHECK(cell.edges.size() == 6);
  CHECK(cell.output == std::vector<int>{1, 2, 3});
  CHECK(std::get<Choice>(cell.edges[5].does).alphas.edge == 5);
  CHECK((graph.language_model->width == 5 && graph.language_model->words == 11));
  CHECK((graph.language_model->node_norm && !graph.language_model->running_statistics));
  CHECK(graph.alphas[0].shape() == std::vector<std::int64_t>{6, 5});
}

TEST_CASE("options of the recurrent space stand in its descriptions", "[space][rnn]") {
  const auto space = test::described_space("darts_rnn", {{"dropout", "0.1"},
                                                         {"dropouth", "0.2"},
                                                         {"dropoutx", "0.3"},
                                                         {"dropouti", "0.4"},
                                                         {"dropoute", "0.5"},
                                                         {"alpha", "2"},
                                                         {"beta", "3"},
                                                         {"running_statistics", "true"}});
  const LanguageModel searched = *space->search(small()).language_model;
  CHECK((searched.dropout_output == 0.1 && searched.dropout_hidden == 0.2 && searched.dropout_input == 0.3));
  CHECK((searched.dropout_embedding == 0.4 && searched.dropout_words == 0.5));
  CHECK((searched.activation_l2 == 2 && searched.slowness == 3 && searched.running_statistics));
  const LanguageModel discrete = *space->network(small(), test::published_genotype("darts_rnn", "ENAS")).language_model;
  CHECK((discrete.dropout_words == 0.5 && !discrete.node_norm && !discrete.running_statistics));
}

TEST_CASE("the parts of the recurrent networks are counted for one word", "[space][rnn]") {
  const auto space = test::described_space("darts_rnn");
  const auto parts_of = [](const NetworkGraph& graph) { return measure(graph, test::described()).parts; };
  const std::vector<NetworkPart> searched = parts_of(space->search(small()));
  REQUIRE(searched.size() == 3);
  CHECK((searched[0].name == "encoder" && searched[0].cost().parameters == 11 * 5));
  CHECK((searched[2].name == "decoder" && searched[2].cost().parameters == 11));  // the matrix is the embedding's
  CHECK(searched[2].output.channels == 11);
  const NetworkPart& cell = searched[1];
  REQUIRE(cell.layers.size() == 5);
  CHECK((cell.name == "rnns.0" && cell.layers[0].name == "_W0" && cell.layers[0].own.parameters == 10 * 10));
  CHECK((cell.layers[2].name == "_Ws.1" && cell.layers[2].kind == "mixed, 2 sources"));
  CHECK(cell.layers[2].own.parameters == 50);
  CHECK(cell.layers[2].own.multiply_adds == 2 * 50);
  CHECK(cell.layers[2].own.activations == 2 * 5 * (6 + 2 * 4) + 2 * 5);
  CHECK(cell.layers[4].own.activations == 4 * 5);
  for (const NamedGenotype& named : space->genotypes()) {
    const NetworkGraph graph = space->network(small(), named.genotype);
    check(graph);
    const NetworkPart found = parts_of(graph)[1];
    CHECK(found.cost().parameters == 100 + 50 * static_cast<std::int64_t>(named.genotype.cells[0].genes.size()));
    CHECK(found.layers[1].own.activations == 5 * 5);
    CHECK(named.genotype.cells[0].inputs == 1);
  }
  CHECK(parts_of(space->network(small(), test::published_genotype("darts_rnn", "DARTS_V1")))[1].layers[1].kind ==
        "relu 0 -> 1");
}

TEST_CASE("a recurrent search that cannot be described is refused", "[space][rnn][misuse]") {
  const auto refusal = [](const std::function<void(SpaceConfig&)>& change) {
    SpaceConfig config = small();
    change(config);
    try {
      (void)test::described_space("darts_rnn")->search(config);
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::usage);
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(refusal([](SpaceConfig& c) { c.width = 0; }) == "space.width: expected at least 1, found 0");
  CHECK(refusal([](SpaceConfig& c) { c.classes = 1; }) ==
        "darts_rnn predicts words: expected a vocabulary of at least 2, found 1");
  CHECK(refusal([](SpaceConfig& c) { c.nodes = 0; }) == "space.nodes: expected at least 1, found 0");
  CHECK(refusal([](SpaceConfig& c) { c.operations = {"none"}; }) ==
        "space.ops: expected at least one candidate operation other than none");
  CHECK(refusal([](SpaceConfig& c) {
          c.operations = {"tanh", "tanh"};
        }) == "space.ops: 'tanh' stands in the list twice");
}

TEST_CASE("a recurrent genotype that makes no cell is refused with the reason", "[space][rnn][misuse]") {
  const auto refusal = [](const std::function<void(CellGenotype&)>& change) {
    Genotype genotype = test::published_genotype("darts_rnn", "DARTS_V1");
    change(genotype.cells[0]);
    try {
      (void)test::described_space("darts_rnn")->network(small(), genotype);
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::usage);
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(refusal([](CellGenotype&) {}).empty());
  CHECK(refusal([](CellGenotype& c) { c.name = "normal"; }) ==
        "a genotype of darts_rnn has a recurrent cell; 'recurrent' is missing");
  CHECK(refusal([](CellGenotype& c) { c.genes.clear(); }) == "the recurrent cell has no operations or an empty concat");
  CHECK(refusal([](CellGenotype& c) { c.genes[1].from = 2; }) ==
        "the recurrent cell: relu goes from node 2 to node 2; expected gene 2 to go from an earlier node to node 2");
  CHECK(refusal([](CellGenotype& c) { c.genes[1].operation = "none"; }) ==
        "the recurrent cell: node 2 has the operation none");
  CHECK(refusal([](CellGenotype& c) { c.concat.push_back(9); }) ==
        "the recurrent cell: concat names node 9, but there are 8");
}

TEST_CASE("options of the recurrent space out of their range are refused", "[space][rnn][misuse]") {
  CHECK_THROWS_WITH(test::described_space("darts_rnn", {{"dropoutx", "1"}}),
                    Catch::Contains("darts_rnn.dropoutx: expected a probability from 0 to below 1, found 1"));
  CHECK_THROWS_WITH(test::described_space("darts_rnn", {{"beta", "-0.5"}}),
                    Catch::Contains("darts_rnn.beta: expected a number of at least 0, found -0.5"));
}

}  // namespace
