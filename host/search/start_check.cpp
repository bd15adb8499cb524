#include "host/search/start_check.hpp"

#include <ATen/ATen.h>

#include "host/text/text.hpp"

namespace mixop {

void require_single_image(const std::string& batch_key, const std::function<void()>& pass) {
  try {
    pass();
  } catch (const std::exception& error) {
    throw Error(ErrorCode::usage,
                batch_key + ": the last batch of an epoch is a single image, and " + first_paragraph(error.what()));
  }
}

void try_smallest_batch(Search& search) {
  if (search.data().smallest_batch() != 1) return;
  Batch image = search.drawn_batch(1);
  SearchProblem& problem = search.problem();
  require_single_image("search.batch", [&] {
    problem.set_step({image, image, search.position().at, 0, 0, 0});
    (void)problem.loss(problem.edge_weights(Wrt::nothing), LossPass{});
  });
}

}  // namespace mixop
