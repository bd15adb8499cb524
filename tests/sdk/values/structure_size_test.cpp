#include "mixop/structure_size.hpp"

#include "mixop/error.hpp"
#include "tests/catch.hpp"

namespace {

using namespace mixop;

TEST_CASE("a structure names its stages as a sequence of modules would, or as it is asked to", "[structure]") {
  const Structure structure = Structure("op.").relu().conv({.in = 2, .out = 4}).name("").batch_norm(4, true);
  CHECK(structure.stages()[0].name.empty());
  CHECK(structure.stages()[1].name == "op.1");
  CHECK(structure.stages()[2].name == "op.");
  CHECK(Structure().name("").linear(3, 2).stages()[0].name.empty());
}

TEST_CASE("a structure sizes the shape that every stage gives", "[structure]") {
  Structure structure;
  structure.relu().conv({.in = 3, .out = 8, .kernel = {3, 5}, .stride = {2, 1}, .padding = {1, 2}});
  CHECK(size_of(structure, {3, 29, 23}).output == ImageShape{8, 15, 23});
  structure.max_pool(3, 2, 1).avg_pool(3, 1, 1);
  CHECK(size_of(structure, {3, 29, 23}).output == ImageShape{8, 8, 12});
  structure.factorized_reduce(8, 5).identity().tanh().sigmoid().batch_norm(5, false);
  CHECK(size_of(structure, {3, 29, 23}).output == ImageShape{5, 4, 6});
  CHECK(size_of(structure, {3, 31, 29}).output == ImageShape{5, 4, 8});
  CHECK(size_of(Structure(structure).zero(2), {3, 29, 23}).output == ImageShape{5, 2, 3});
  CHECK(size_of(Structure(structure).shuffle(5), {3, 29, 23}).output == ImageShape{5, 4, 6});
  CHECK(size_of(structure.global_avg_pool().linear(5, 7), {3, 29, 23}).output == ImageShape{7, 1, 1});
}

TEST_CASE("a structure counts parameters and multiply-adds", "[structure]") {
  Structure structure;
  structure.conv({.in = 4, .out = 8, .kernel = {3, 3}, .padding = {1, 1}, .groups = 2}).batch_norm(8, true);
  structure.global_avg_pool().linear(8, 3);
  const StructureSize size = size_of(structure, {4, 10, 6});
  CHECK(size.parameters == 8 * 2 * 9 + 16 + 8 * 3 + 3);
  CHECK(size.multiply_adds == 10 * 6 * 8 * 2 * 9 + 8 * 3);
  CHECK(size_of(Structure().conv({.in = 4, .out = 8, .bias = true}), {4, 2, 2}).parameters == 4 * 8 + 8);
}

TEST_CASE("sums, products and concatenations have the shapes of what they read", "[structure]") {
  // Squeeze and excitation: a product with one pixel of each channel.
  Structure gate;
  gate.global_avg_pool().conv({.in = 6, .out = 6}).sigmoid();
  gate.multiply(0);
  CHECK(size_of(gate, {6, 5, 4}).output == ImageShape{6, 5, 4});
  Structure doubled;
  doubled.conv({.in = 6, .out = 6}).add(0).concat({0, 2});
  CHECK(size_of(doubled, {6, 5, 4}).output == ImageShape{12, 5, 4});
}

TEST_CASE("activations are what stages put out, and not what is done in place", "[structure]") {
  Structure structure("op.");
  structure.relu().conv({.in = 4, .out = 6, .kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}}).batch_norm(6, true);
  structure.relu().identity().max_pool(3, 1, 1);
  CHECK(size_of(structure, {4, 9, 8}).activations == 4 * 9 * 8 + 3 * 6 * 5 * 4);  // ReLU, convolution, norm, pool
  const Structure reduce = relu_reduce_norm("", 4, 6, true);
  CHECK(size_of(reduce, {4, 9, 8}).activations == 4 * 9 * 8 + 2 * 6 * 5 * 4);  // ReLU, both convolutions in one, norm
  Structure read_twice;
  read_twice.conv({.in = 2, .out = 2}).relu().add(1);
  CHECK(size_of(read_twice, {2, 3, 3}).activations == 3 * 2 * 9);
}

TEST_CASE("stages that cannot work on what they read are refused", "[structure][misuse]") {
  const ImageShape input{4, 8, 6};
  CHECK_THROWS_WITH(size_of(Structure().conv({.in = 3, .out = 8}), input), "a convolution of 3 channels reads 4x8x6");
  CHECK_THROWS_WITH(size_of(Structure().batch_norm(3, true), input), "a batch norm of 3 channels reads 4x8x6");
  CHECK_THROWS_WITH(size_of(Structure().linear(3, 2), input), "a linear layer of 3 numbers reads 4x8x6");
  CHECK_THROWS_WITH(size_of(Structure().shuffle(3), input), "a shuffle in 3 groups reads 4x8x6");
  CHECK_THROWS_WITH(size_of(Structure().max_pool(9, 1, 0), input),
                    "a convolution or pool of a 9x9 window reads 4x8x6, which is smaller than the window");
  CHECK_THROWS_WITH(size_of(Structure().max_pool(3, 2, 1).add(0), input), "a sum reads 4x4x3 and 4x8x6");
  CHECK_THROWS_WITH(size_of(Structure().max_pool(3, 2, 1).multiply(0), input), "a product reads 4x4x3 and 4x8x6");
  CHECK_THROWS_WITH(size_of(Structure().max_pool(3, 2, 1).concat({0, 1}), input),
                    "a concatenation reads 4x8x6 and 4x4x3");
}

}  // namespace
