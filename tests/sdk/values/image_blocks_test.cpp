#include "mixop/image_blocks.hpp"

#include <functional>

#include "mixop/error.hpp"
#include "mixop/structure_size.hpp"
#include "tests/catch.hpp"

namespace {

using namespace mixop;

const Structure& structure_in(const Block& block) { return std::get<Structure>(block.cell.edges.at(0).does); }

ImageShape after(const Block& block, const ImageShape& input) { return size_of(structure_in(block), input).output; }

TEST_CASE("sizes that no image network can have are refused with key and value", "[blocks][misuse]") {
  const auto refusal = [](const std::function<void(SpaceConfig&)>& change) {
    SpaceConfig config;
    change(config);
    try {
      check_config("a_space", config);
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::usage);
      return std::string(error.what());
    }
    return std::string("nothing was refused");
  };
  CHECK(refusal([](SpaceConfig& c) { c.channels = 1; }) == "space.channels: expected at least 2, found 1");
  CHECK(refusal([](SpaceConfig& c) { c.layers = 0; }) == "space.layers: expected at least 1, found 0");
  CHECK(refusal([](SpaceConfig& c) { c.channels = 70000; }) == "space.channels: expected at most 65536, found 70000");
  CHECK(refusal([](SpaceConfig& c) { c.layers = 10001; }) == "space.layers: expected at most 10000, found 10001");
  CHECK(refusal([](SpaceConfig& c) { c.classes = 1; }) ==
        "a_space classifies images: expected at least 2 classes, found 1");
  CHECK(refusal([](SpaceConfig& c) {
          c.input = {3, 2, 32};
        }) == "a_space needs images of at least 4 pixels a side, found 2x32");
  CHECK(refusal([](SpaceConfig&) {}) == "nothing was refused");
}

TEST_CASE("the auxiliary head of DARTS refuses a map that its pooling does not fit", "[blocks][misuse]") {
  CHECK_THROWS_WITH(auxiliary_head({8, 6, 8}, 10, {}),
                    "the auxiliary head needs a feature map of at least 7 pixels a side (images of 28), found 6x8; "
                    "train without it (train.auxiliary=0) or on larger images");
  AuxiliaryHead imagenet;
  imagenet.imagenet = true;
  CHECK_THROWS_WITH(auxiliary_head({8, 14, 6}, 10, imagenet),
                    Catch::Contains("at least 7 pixels a side (images of 28), found 14x6"));
}

TEST_CASE("the auxiliary head pools the map of 28-pixel images as khanrc/pt.darts does", "[blocks]") {
  const Structure seven = auxiliary_head({8, 7, 7}, 10, {}), mixed = auxiliary_head({8, 7, 8}, 10, {});
  const Stage& pool = seven.stages().at(1);
  CHECK((pool.kernel == Pair{5, 5} && pool.stride == Pair{2, 2} && pool.padding == Pair{0, 0}));
  CHECK(mixed.stages().at(1).stride == Pair{2, 3});
  CHECK(size_of(seven, {8, 7, 7}).parameters == size_of(auxiliary_head({8, 8, 8}, 10, {}), {8, 8, 8}).parameters);
}

TEST_CASE("channels that double at every reduction are bounded before cells are made", "[blocks][misuse]") {
  ImageNetworkSpec spec;
  spec.space.channels = 4;
  spec.reductions = std::vector<bool>(64, true);
  int made = 0;
  const auto make = [&](std::size_t, const CellPlace& place) {
    ++made;
    return discrete_cell({"reduce", {{"skip_connect", 0, 2}}, {2}}, place);
  };
  CHECK_THROWS_WITH(image_network(spec, make, {}),
                    "every node of cells.14 would have 131072 channels, at most 65536: 4 (space.channels), doubled at "
                    "every reduction; take fewer channels or reductions");
  CHECK(made == 14);
}

TEST_CASE("the output of a cell and the operations of a network are bounded", "[blocks][misuse]") {
  ImageNetworkSpec spec;
  spec.space.channels = 60000;
  spec.reductions = {false};
  CellGenotype wide{"normal", {}, {}};
  for (int node = 2; node < 402; ++node) {
    wide.genes.push_back({"skip_connect", 0, node});
    wide.concat.push_back(node);
  }
  const auto make = [&](std::size_t, const CellPlace& place) { return discrete_cell(wide, place); };
  CHECK_THROWS_WITH(image_network(spec, make, {}),
                    Catch::StartsWith("the output of cells.0 would have 24000000 channels, at most 16777216: "));
  spec.space.channels = 2;
  spec.reductions = std::vector<bool>(2000, false);
  CHECK_THROWS_WITH(image_network(spec, make, {}),
                    "cells.0 to cells.1243 have 500088 operations; at most 500000 of a network: take fewer cells "
                    "(space.layers) or nodes");
}

TEST_CASE("an auxiliary head that fits takes maps of every size", "[blocks]") {
  for (const bool imagenet : {false, true})
    for (const std::int64_t height : {1, 2, 3, 4, 5, 6, 7, 8, 14})
      for (const std::int64_t width : {1, 4, 7}) {
        INFO(height << "x" << width << (imagenet ? " imagenet" : ""));
        const StructureSize size =
            size_of(auxiliary_head({8, height, width}, 10, {imagenet, true, true}), {8, height, width});
        CHECK(size.output == ImageShape{10, 1, 1});
        if (height < 7 && width < 7)  // as many as the published head has where it fits exactly
          CHECK(size.parameters == 8 * 128 + 2 * 128 + 4 * 128 * 768 + 2 * 768 + 768 * 10 + 10);
      }
}

TEST_CASE("the pooling that fits keeps what the published one sees", "[blocks]") {
  const auto pooled = [](std::int64_t side, bool imagenet) {
    return auxiliary_head({8, side, side}, 10, {imagenet, true, true}).stages().at(1);
  };
  CHECK((pooled(8, false).kernel[0] == 5 && pooled(8, false).stride[0] == 3));
  CHECK((pooled(7, true).kernel[0] == 5 && pooled(7, true).stride[0] == 2));
  CHECK((pooled(4, false).kernel[0] == 2 && pooled(4, false).stride[0] == 2));
}

TEST_CASE("stems halve as often as is asked", "[blocks]") {
  const ImageShape images{3, 64, 64};
  for (const std::int64_t halvings : {2, 3}) {
    const std::vector<Block> stems = imagenet_stems(3, 8, halvings);
    REQUIRE(stems.size() == 2);
    const ImageShape older = after(stems[0], images), newer = after(stems[1], older);
    CHECK(older == ImageShape{8, halvings == 2 ? 32 : 16, halvings == 2 ? 32 : 16});
    CHECK(newer == ImageShape{8, halvings == 2 ? 16 : 8, halvings == 2 ? 16 : 8});
  }
  CHECK(after(cifar_stem(3, 24), images) == ImageShape{24, 64, 64});
}

TEST_CASE("the stem follows its kind, or the longer side of the images", "[blocks]") {
  CHECK_FALSE(has_imagenet_stem("auto", {3, 127, 32}));
  CHECK(has_imagenet_stem("auto", {3, 32, 128}));
  CHECK(has_imagenet_stem("imagenet", {3, 32, 32}));
  CHECK_FALSE(has_imagenet_stem("cifar", {3, 224, 224}));
  CHECK_THROWS_WITH(has_imagenet_stem("cifar100", {3, 32, 32}),
                    "space.stem: expected auto, cifar or imagenet, found 'cifar100'");
}

TEST_CASE("a classifier pools the whole map or by its window, and has no stage in its names", "[blocks]") {
  CHECK(structure_in(classifier({8, 9, 9}, 10, 0, 0)).stages()[1].in == 8);
  CHECK(structure_in(classifier({8, 14, 9}, 10, 7, 0)).stages()[1].in == 8 * 2 * 1);
  CHECK(structure_in(classifier({8, 4, 3}, 10, 7, 0)).stages()[1].in == 8);
  const Block block = classifier({8, 9, 9}, 10, 0, 3);
  CHECK(block.cell.name == "classifier");
  CHECK(block.reads == std::vector<int>{3});
  CHECK(structure_in(block).stages()[1].name.empty());
}

}  // namespace
