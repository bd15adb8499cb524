#include <ATen/ATen.h>

#include "host/genotype/genotype_json.hpp"
#include "host/runtime/loss.hpp"
#include "tests/support/discrete_fixture.hpp"
#include "tests/support/search_fixture.hpp"

namespace {

using namespace mixop;
using test::disagreement;

/// A stored file of a DARTS network, which has running statistics and a second evaluation, too.
void check_network(const std::string& file) {
  INFO(file);
  const test::Fixture fixture(test::path_of_optional(file));
  const Genotype genotype = genotype_of_keys(*fixture.config().find("genotype_value"), file, ErrorCode::bad_data);
  const auto network = test::stored_network(fixture, *test::darts_space(), genotype);
  test::check_stored_network(fixture, *network);
  test::check_stored_statistics(fixture, *network);
}

TEST_CASE("the discrete CIFAR networks agree with the published code in double precision", "[space][parity]") {
  check_network("d_eval_cifar_DARTS_V1.h5");
  check_network("d_eval_cifar_NASNet.h5");
  check_network("d_eval_cifar_DARTS_V2_aux.h5");
}

TEST_CASE("the discrete ImageNet network with label smoothing agrees with the published code in double precision",
          "[space][parity]") {
  check_network("d_eval_imagenet_DARTS_V2_aux.h5");
}

TEST_CASE("label smoothing spreads its share of the target over all classes", "[space]") {
  const at::Tensor logits = at::randn({5, 7}, at::kDouble), target = at::tensor({0, 6, 3, 3, 1}, at::kLong);
  const at::Tensor wanted = at::one_hot(target, 7).to(at::kDouble).mul(0.9).add(0.1 / 7);
  const at::Tensor expected = wanted.mul(logits.log_softmax(1)).sum(1).mean().neg();
  CHECK(disagreement(cross_entropy(logits, target, 0.1), expected) <= 1);
  CHECK(disagreement(cross_entropy(at::zeros({5, 7}, at::kDouble), target, 0.3),
                     at::full({}, std::log(7.0), at::kDouble)) <= 1);
}

}  // namespace
