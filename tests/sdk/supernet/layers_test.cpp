#include "mixop/supernet/layers.hpp"

#include <ATen/ATen.h>

#include "tests/catch.hpp"

namespace {

using namespace mixop;
using namespace mixop::supernet;

TEST_CASE("the auxiliary head of DARTS refuses a map that its pooling does not fit", "[supernet][misuse]") {
  CHECK_THROWS_WITH(auxiliary_head({8, 7, 8}, 10, {}),
                    "the auxiliary head needs a feature map of at least 8 pixels a side, found 7x8; build the network "
                    "without it or for larger images");
  AuxiliaryHead imagenet;
  imagenet.imagenet = true;
  CHECK_THROWS_WITH(auxiliary_head({8, 14, 6}, 10, imagenet), Catch::Contains("at least 7 pixels a side, found 14x6"));
}

TEST_CASE("an auxiliary head that fits takes maps of every size", "[supernet]") {
  for (const bool imagenet : {false, true})
    for (const std::int64_t height : {1, 2, 3, 4, 5, 6, 7, 8, 14})
      for (const std::int64_t width : {1, 4, 7}) {
        INFO(height << "x" << width << (imagenet ? " imagenet" : ""));
        const Chain head = auxiliary_head({8, height, width}, 10, {imagenet, true, true});
        CHECK(head.forward(at::randn({2, 8, height, width}), {}).sizes() == at::IntArrayRef({2, 10}));
        if (height < 7 && width < 7)  // as many as the published head has where it fits exactly
          CHECK(part_of("head", "", head, {8, height, width}).cost().parameters ==
                8 * 128 + 2 * 128 + 4 * 128 * 768 + 2 * 768 + 768 * 10 + 10);
      }
}

TEST_CASE("the pooling that fits keeps what the published one sees", "[supernet]") {
  const auto pooled = [](std::int64_t side, bool imagenet) {
    return auxiliary_head({8, side, side}, 10, {imagenet, true, true}).structure().at(1);
  };
  CHECK((pooled(8, false).kernel[0] == 5 && pooled(8, false).stride[0] == 3));
  CHECK((pooled(7, true).kernel[0] == 5 && pooled(7, true).stride[0] == 2));
  CHECK((pooled(4, false).kernel[0] == 2 && pooled(4, false).stride[0] == 2));
  const at::Tensor pixel = at::randn({1, 3, 1, 1});
  Chain four;
  four.avg_pool({2, 2}, {1, 1}, {1, 1});
  CHECK(at::equal(four.forward(pixel, {}), pixel.expand({1, 3, 2, 2})));
}

TEST_CASE("stems halve as often as they are told", "[supernet]") {
  const ImageShape images{3, 64, 64};
  CHECK((Stem("imagenet", images, 8).older().height == 16 && Stem("imagenet", images, 8).newer().height == 8));
  CHECK((Stem("imagenet", images, 8, 2).older().height == 32 && Stem("imagenet", images, 8, 2).newer().height == 16));
  CHECK((Stem("cifar", images, 8).newer().height == 64 && Stem("cifar", images, 8).newer().channels == 24));
}

}  // namespace
