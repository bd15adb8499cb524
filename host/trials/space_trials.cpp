#include "host/trials/space_trials.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <functional>
#include <set>

#include "host/config/config.hpp"
#include "host/config/schema.hpp"
#include "host/genotype/genotype_json.hpp"
#include "host/graph/check.hpp"
#include "host/graph/draw.hpp"
#include "host/graph/genotypes.hpp"
#include "host/graph/measure.hpp"
#include "host/graph/operator_catalog.hpp"
#include "host/runtime/network.hpp"
#include "host/search/composition.hpp"
#include "host/text/text.hpp"
#include "mixop/gradients.hpp"

namespace mixop {
namespace {

constexpr std::int64_t kChannels = 8, kWidth = 12, kWords = 20, kClasses = 10, kSide = 32, kSamples = 4;
constexpr std::uint64_t kDrawn = 100;

[[noreturn]] void fail(const std::string& detail) { throw Error(ErrorCode::plugin, detail); }

class SpaceTrials {
 public:
  SpaceTrials(const PluginRegistry& registry, const std::string& name, const TrialSink& report)
      : registry_(registry), name_(name), report_(report), operators_(registry) {}

  void run() {
    if (!trial("describes a search", [&] { describe(); })) return;
    trial("alphas are read", [&] { read_alphas(); });
    trial("weights learn", [&] { learn(); });
    trial("published genotypes", [&] {
      for (const NamedGenotype& named : space_->genotypes()) build(named.genotype, "'" + named.name + "'", false);
    });
    trial("a hundred drawn genotypes", [&] {
      for (std::uint64_t i = 0; i < kDrawn; ++i)
        build(sample_genotype(graph_.alphas, i), "genotype " + std::to_string(i) + " of those drawn", true);
    });
  }

 private:
  /// At its own defaults, but for what makes a network large.
  void describe() {
    space_ = make_space(registry_, name_, {});
    if (space_->summary().empty()) fail("its summary is empty; expected one sentence with its source");
    const SpaceDefaults defaults = space_->defaults();
    const std::map<std::string, std::string> keys = default_keys(defaults, name_);
    const auto number = [&](const char* key, std::int64_t otherwise) {
      const auto found = keys.find(key);
      return found == keys.end() ? otherwise : static_cast<std::int64_t>(std::stoll(found->second));
    };
    const bool image = space_->domain() == Domain::image;
    config_.channels = kChannels;
    config_.width = kWidth;
    config_.layers = number("space.layers", config_.layers);
    config_.nodes = number("space.nodes", config_.nodes);
    config_.operations = defaults.operations;
    config_.input = image ? ImageShape{3, kSide, kSide} : ImageShape{};
    config_.classes = image ? kClasses : kWords;
    graph_ = sound(space_->search(config_), "the network of a search");
    if (graph_.alphas.empty()) fail("the network of a search has no alphas");
  }

  /// As every command takes it: checked and counted.
  NetworkGraph sound(NetworkGraph graph, const std::string& what) const {
    try {
      check(graph);
      (void)measure(graph, operators_);
    } catch (const Error& error) {
      fail(what + ": " + error.what());
    }
    return graph;
  }

  void read_alphas() const {
    const std::vector<std::string> unused = unused_alphas(graph_);
    if (!unused.empty()) fail("no choice reads the alphas " + joined(unused) + "; leave them out, or use them");
    read_rows();
    for (const AlphaSet& set : graph_.alphas)
      for (const std::string& operation : set.topology.operations)
        if (std::find(config_.operations.begin(), config_.operations.end(), operation) == config_.operations.end())
          fail("the alphas '" + set.name + "' have the operation '" + operation + "', which space.ops does not name");
  }

  /// Alphas that no choice reads learn nothing, and a genotype is derived from them all the same.
  void read_rows() const {
    std::set<std::array<int, 3>> read;
    for (const Block& block : graph_.blocks)
      for (const Edge& edge : block.cell.edges)
        if (const auto* choice = std::get_if<Choice>(&edge.does))
          read.insert({choice->alphas.set, choice->alphas.cell, choice->alphas.edge});
    for (std::size_t s = 0; s < graph_.alphas.size(); ++s) {
      const AlphaSet& set = graph_.alphas[s];
      const std::int64_t rows = set.weighs ? 0 : set.per_cell ? set.shape().front() : 1;
      for (int cell = 0; cell < rows; ++cell)
        for (int edge = 0; edge < static_cast<int>(set.topology.edges.size()); ++edge)
          if (read.count({static_cast<int>(s), cell, edge}) == 0)
            fail("no choice reads the alphas '" + set.name + "' of cell " + std::to_string(cell) + ", edge " +
                 std::to_string(edge) + "; every choice names its own by AlphaRef::cell and edge");
    }
  }

  /// Weights that run have a gradient after one pass, in which all operations take part.
  void learn() const {
    at::manual_seed(3);
    const auto network = compile(graph_, operators_, {at::kCPU, at::kFloat});
    std::vector<Relaxed> relaxed;
    for (const AlphaSet& set : network->alphas())
      relaxed.push_back({at::softmax(at::randn(set.shape()), -1)});
    Batch batch;
    if (graph_.domain == Domain::image)
      batch = {at::randn({kSamples, 3, kSide, kSide}), at::randint(kClasses, {kSamples})};
    else
      batch = {at::randint(kWords, {5, kSamples}), at::randint(kWords, {5, kSamples})};
    std::vector<StateEntry> weights;
    for (const StateEntry& entry : network->state())
      if (entry.kind == StateKind::parameter && !never_runs(entry.name)) weights.push_back(entry);
    std::vector<at::Tensor> leaves;
    for (const StateEntry& entry : weights) leaves.push_back(entry.tensor.set_requires_grad(true));
    const std::vector<at::Tensor> found = gradients(network->loss(relaxed, batch, {}, {}).loss, leaves);
    for (std::size_t i = 0; i < weights.size(); ++i)
      if (!found[i].ne(0).any().item<bool>())
        fail("the weight '" + weights[i].name + "' has no gradient in a pass where all operations take part: nothing that is "
             "classified reads it; connect it, or say that its edge does not run (Edge::runs)");
  }

  bool never_runs(const std::string& name) const {
    for (const Block& block : graph_.blocks)
      for (const Edge& edge : block.cell.edges) {
        const std::string start = block.cell.name + (edge.name.empty() ? "" : "." + edge.name) + ".";
        if (!edge.runs && name.rfind(start, 0) == 0) return true;
      }
    return false;
  }

  void build(const Genotype& genotype, const std::string& what, bool of_this_size) const {
    try {
      require_readable(genotype);
      (void)to_dot(genotype);
      if (const std::optional<std::string> text = space_->print_text(genotype)) {
        const std::optional<Genotype> read = space_->read_text(*text);
        if (!read || !(*read == genotype)) fail("read_text() gives another genotype than print_text() wrote: " + *text);
      }
      SpaceConfig config = config_;
      if (!of_this_size && genotype.by_position()) config.layers = static_cast<std::int64_t>(genotype.positions());
      const NetworkGraph graph = space_->network(config, genotype);
      check(graph);
      const std::int64_t parameters = measure(graph, operators_).cost().parameters;
      std::int64_t made = 0;
      const auto network = compile(graph, operators_, {at::Device(at::kMeta), at::kFloat});
      for (const StateEntry& entry : network->state())
        if (entry.kind == StateKind::parameter) made += entry.tensor.numel();
      if (made < parameters)
        fail("its network has " + std::to_string(made) + " parameters, and " + std::to_string(parameters) + " are counted");
    } catch (const std::exception& error) {
      fail(what + ": " + first_paragraph(error.what()));
    }
  }

  bool trial(const std::string& what, const std::function<void()>& body) {
    Trial trial{name_, what, true, ""};
    try {
      body();
    } catch (const std::exception& error) {
      trial.passed = false;
      trial.detail = first_paragraph(error.what());
    }
    report_(trial);
    return trial.passed;
  }

  const PluginRegistry& registry_;
  const std::string& name_;
  const TrialSink& report_;
  RegistryCatalog operators_;
  Part<SearchSpace> space_;
  SpaceConfig config_;
  NetworkGraph graph_;
};

}  // namespace

void try_space(const PluginRegistry& registry, const std::string& name, const TrialSink& report) {
  SpaceTrials(registry, name, report).run();
}

}  // namespace mixop
