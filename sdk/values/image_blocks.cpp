#include "mixop/image_blocks.hpp"

#include <algorithm>
#include <utility>

#include "mixop/error.hpp"
#include "mixop/structure_size.hpp"

namespace mixop {
namespace {

constexpr int kInputs = 2;
constexpr std::int64_t kImagenetSide = 128;
constexpr std::int64_t kPool = 5, kSmallestMap = 7;                // of the auxiliary head
constexpr std::int64_t kMostChannels = 65536, kMostOut = 1 << 24;  // of a node, of a cell
constexpr std::int64_t kMostCells = 10000;
constexpr std::size_t kMostOperations = 500'000;  // edges of all cells

void require(bool holds, const std::string& message) {
  if (!holds) throw Error(ErrorCode::usage, message);
}

ConvSpec conv3x3(std::int64_t in, std::int64_t out, std::int64_t stride) {
  return {.in = in, .out = out, .kernel = {3, 3}, .stride = {stride, stride}, .padding = {1, 1}};
}

/// Pooling along one axis.
struct Window {
  std::int64_t kernel, stride, padding;
};

/// The published pooling of the auxiliary head. Where it leaves less than the two pixels that the follow-up convolution
/// needs, one that leaves two: by a smaller stride, as khanrc/pt.darts pools the 7 pixels of images of 28, or for a
/// head that fits any map by another window.
Window pooling(std::int64_t side, std::int64_t stride, bool fits) {
  if (side >= kPool + stride) return {kPool, stride, 0};
  if (!fits) return {kPool, side - kPool, 0};
  if (side >= 2) return {(side + 1) / 2, side / 2, 0};
  return {2, 1, 1};
}

Structure preprocess_older(const CellPlace& place, bool affine) {
  const bool larger = place.older.height > place.newer.height || place.older.width > place.newer.width;
  if (larger) return relu_reduce_norm("", place.older.channels, place.channels, affine);
  return relu_conv_norm("", {.in = place.older.channels, .out = place.channels}, affine);
}

std::string operation_name(std::size_t number) { return "_ops." + std::to_string(number); }

/// Collects the blocks of a network and knows what the next one may read.
class Assembly {
 public:
  explicit Assembly(const ImageNetworkSpec& spec)
      : spec_(spec), imagenet_(has_imagenet_stem(spec.space.stem, spec.space.input)) {
    graph_.input = spec.space.input;
    graph_.classes = spec.space.classes;
    const std::int64_t in = spec.space.input.channels, channels = spec.space.channels;
    if (imagenet_) {
      graph_.blocks = imagenet_stems(in, channels, spec.stem_halvings);
      newer_ = 1;
    } else {
      graph_.blocks.push_back(cifar_stem(in, 3 * channels));
    }
    place_ = {output_of(0, spec.space.input), {}, channels};
    place_.newer = imagenet_ ? output_of(1, place_.older) : place_.older;
  }

  void add_cell(const CellMaker& make_cell, std::size_t i) {
    place_.reduction = spec_.reductions[i];
    if (place_.reduction) place_.channels *= 2;
    check_channels(place_.channels, kMostChannels, "every node of cells." + std::to_string(i));
    Cell cell = make_cell(i, place_);
    check_channels(place_.channels * static_cast<std::int64_t>(cell.output.size()), kMostOut,
                   "the output of cells." + std::to_string(i));
    operations_ += cell.edges.size();
    require(operations_ <= kMostOperations,
            "cells.0 to cells." + std::to_string(i) + " have " + std::to_string(operations_) + " operations; at most " +
                std::to_string(kMostOperations) + " of a network: take fewer cells (space.layers) or nodes");
    cell.name = "cells." + std::to_string(i);
    cell.kind = place_.reduction ? "reduce" : "normal";
    ImageShape output = strided(place_.newer, place_.reduction ? 2 : 1);
    output.channels = place_.channels * static_cast<std::int64_t>(cell.output.size());
    graph_.blocks.push_back({std::move(cell), {older_, newer_}});
    older_ = std::exchange(newer_, last());
    place_.older = std::exchange(place_.newer, output);
    if (spec_.space.auxiliary && i == spec_.auxiliary_after) prepare_auxiliary(i);
  }

  NetworkGraph finish(std::vector<AlphaSet> alphas) {
    if (!auxiliary_.reads.empty()) {
      graph_.blocks.push_back(std::move(auxiliary_));
      graph_.outputs.push_back(
          {last(), spec_.space.auxiliary_weight, /*training_only=*/true, spec_.space.label_smoothing});
    }
    graph_.blocks.push_back(
        classifier(place_.newer, spec_.space.classes, imagenet_ ? spec_.imagenet_window : 0, newer_));
    graph_.outputs.insert(graph_.outputs.begin(), {last(), 1, false, spec_.space.label_smoothing});
    graph_.alphas = std::move(alphas);
    return std::move(graph_);
  }

 private:
  int last() const { return static_cast<int>(graph_.blocks.size()) - 1; }

  /// Channels double at every reduction, of which a genotype may list many.
  void check_channels(std::int64_t channels, std::int64_t most, const std::string& what) const {
    require(channels <= most, what + " would have " + std::to_string(channels) + " channels, at most " +
                                  std::to_string(most) + ": " + std::to_string(spec_.space.channels) +
                                  " (space.channels), doubled at every reduction; take fewer channels or reductions");
  }

  ImageShape output_of(std::size_t block, const ImageShape& input) const {
    return size_of(std::get<Structure>(graph_.blocks[block].cell.edges.front().does), input).output;
  }

  void prepare_auxiliary(std::size_t cell) {
    const AuxiliaryHead kind{imagenet_, spec_.auxiliary_norm || !imagenet_, spec_.auxiliary_fits};
    auxiliary_ = fixed_block("auxiliary_head", "after cells." + std::to_string(cell),
                             auxiliary_head(place_.newer, spec_.space.classes, kind), newer_);
  }

  const ImageNetworkSpec& spec_;
  bool imagenet_;
  NetworkGraph graph_;
  CellPlace place_;
  int older_ = 0, newer_ = 0;  // blocks
  std::size_t operations_ = 0;
  Block auxiliary_;
};

}  // namespace

void check_config(const std::string& space, const SpaceConfig& config) {
  require(config.channels >= 2, "space.channels: expected at least 2, found " + std::to_string(config.channels));
  require(config.channels <= kMostChannels, "space.channels: expected at most " + std::to_string(kMostChannels) +
                                                ", found " + std::to_string(config.channels));
  require(config.layers >= 1, "space.layers: expected at least 1, found " + std::to_string(config.layers));
  require(config.layers <= kMostCells,
          "space.layers: expected at most " + std::to_string(kMostCells) + ", found " + std::to_string(config.layers));
  require(config.classes >= 2,
          space + " classifies images: expected at least 2 classes, found " + std::to_string(config.classes));
  require(std::min(config.input.height, config.input.width) >= 4,
          space + " needs images of at least 4 pixels a side, found " + std::to_string(config.input.height) + "x" +
              std::to_string(config.input.width));
}

Block fixed_block(std::string name, std::string kind, Structure structure, int reads) {
  Block block{{.name = std::move(name), .kind = std::move(kind), .edges = {}, .output = {1}}, {reads}};
  block.cell.edges.push_back({"", 0, 1, std::move(structure)});
  return block;
}

Block cifar_stem(std::int64_t in, std::int64_t out) {
  Structure stem;
  stem.conv(conv3x3(in, out, 1)).batch_norm(out, true);
  return fixed_block("stem", "cifar", std::move(stem), -1);
}

std::vector<Block> imagenet_stems(std::int64_t in, std::int64_t out, std::int64_t halvings) {
  Structure first, second;
  first.conv(conv3x3(in, out / 2, 2)).batch_norm(out / 2, true).relu();
  first.conv(conv3x3(out / 2, out, halvings > 2 ? 2 : 1)).batch_norm(out, true);
  second.relu().conv(conv3x3(out, out, 2)).batch_norm(out, true);
  return {fixed_block("stem0", "older input", std::move(first), -1),
          fixed_block("stem1", "newer input", std::move(second), 0)};
}

bool has_imagenet_stem(const std::string& kind, const ImageShape& input) {
  if (kind == "auto") return std::max(input.height, input.width) >= kImagenetSide;
  require(kind == "cifar" || kind == "imagenet", "space.stem: expected auto, cifar or imagenet, found '" + kind + "'");
  return kind == "imagenet";
}

Structure auxiliary_head(const ImageShape& features, std::int64_t classes, const AuxiliaryHead& kind) {
  const std::int64_t stride = kind.imagenet ? 2 : 3;
  require(kind.fits || std::min(features.height, features.width) >= kSmallestMap,
          "the auxiliary head needs a feature map of at least " + std::to_string(kSmallestMap) +
              " pixels a side (images of 28), found " + std::to_string(features.height) + "x" +
              std::to_string(features.width) + "; train without it (train.auxiliary=0) or on larger images");
  const Window rows = pooling(features.height, stride, kind.fits), columns = pooling(features.width, stride, kind.fits);
  Structure head;
  head.relu().avg_pool({rows.kernel, columns.kernel}, {rows.stride, columns.stride}, {rows.padding, columns.padding});
  head.name("features.2").conv({.in = features.channels, .out = 128});
  head.name("features.3").batch_norm(128, true).relu();
  head.name("features.5").conv({.in = 128, .out = 768, .kernel = {2, 2}});
  if (kind.last_norm) head.name("features.6").batch_norm(768, true);
  head.relu();
  head.name("classifier").linear(numbers_of(size_of(head, features).output), classes);
  return head;
}

Block classifier(const ImageShape& features, std::int64_t classes, std::int64_t window, int reads) {
  Structure structure;
  ImageShape pooled{features.channels, 1, 1};
  if (window > 0) {
    const Pair sides{std::min(window, features.height), std::min(window, features.width)};
    pooled = {features.channels, features.height / sides[0], features.width / sides[1]};
    structure.avg_pool(sides, sides, {0, 0});
  } else {
    structure.global_avg_pool();
  }
  structure.name("").linear(numbers_of(pooled), classes);
  return fixed_block("classifier", "linear", std::move(structure), reads);
}

Cell preprocessed_cell(const CellPlace& place, bool affine) {
  Cell cell;
  cell.inputs = kInputs;
  cell.labels = {"older input", "newer input"};
  cell.edges.push_back({"preprocess0", 0, node_of(0), preprocess_older(place, affine)});
  cell.edges.push_back(
      {"preprocess1", 1, node_of(1), relu_conv_norm("", {.in = place.newer.channels, .out = place.channels}, affine)});
  return cell;
}

void label_nodes(Cell& cell, int published) {
  for (int node = 0; node <= published; ++node) cell.labels.push_back(std::to_string(node));
}

OpSpec spec_at(const CellPlace& place, int from, bool affine) {
  return {place.channels, place.channels, place.reduction && from < kInputs ? 2 : 1, affine};
}

Cell search_cell(const CellTopology& topology, const CellPlace& place, int set, int row) {
  Cell cell = preprocessed_cell(place, /*affine=*/false);
  label_nodes(cell, topology.inputs + topology.nodes - 1);
  for (std::size_t e = 0; e < topology.edges.size(); ++e) {
    const auto& [from, to] = topology.edges[e];
    Choice choice{topology.operations, spec_at(place, from, /*affine=*/false), {set, row, static_cast<int>(e)}, true};
    cell.edges.push_back({operation_name(e), node_of(from), node_of(to), std::move(choice)});
  }
  for (const int node : topology.concat) cell.output.push_back(node_of(node));
  return cell;
}

Cell discrete_cell(const CellGenotype& genotype, const CellPlace& place) {
  Cell cell = preprocessed_cell(place, /*affine=*/true);
  cell.drop_path = DropPath::operations;
  int last = kInputs - 1;
  for (std::size_t i = 0; i < genotype.genes.size(); ++i) {
    const Gene& gene = genotype.genes[i];
    last = std::max(last, gene.to);
    cell.edges.push_back({operation_name(i), node_of(gene.from), node_of(gene.to),
                          NamedOp{gene.operation, spec_at(place, gene.from, /*affine=*/true)}});
  }
  label_nodes(cell, last);
  for (const int node : genotype.concat) cell.output.push_back(node_of(node));
  return cell;
}

NetworkGraph image_network(const ImageNetworkSpec& spec, const CellMaker& make_cell, std::vector<AlphaSet> alphas) {
  Assembly assembly(spec);
  for (std::size_t i = 0; i < spec.reductions.size(); ++i) assembly.add_cell(make_cell, i);
  return assembly.finish(std::move(alphas));
}

}  // namespace mixop
