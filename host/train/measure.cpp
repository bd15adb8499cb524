#include "host/train/measure.hpp"

#include <ATen/ATen.h>

#include <cmath>

namespace mixop {

Score measure(DiscreteModel& model, TrainingData& data, Records records, std::int64_t batch_size,
              const std::function<bool()>& go_on, const NotFiniteOutput& not_finite, Confusion* confusion,
              const OutputSink& sink) {
  Score score;
  RecurrentState state;
  data.for_each(records, batch_size, [&](const Batch& batch) {
    const Outcome outcome = model.evaluate(batch, state);
    const double loss = outcome.loss.item<double>();
    const bool finite =
        std::isfinite(loss) && (!outcome.output.defined() || outcome.output.isfinite().all().item<bool>());
    if (!finite) not_finite(score.samples(), batch.target.numel());
    state = outcome.next;
    if (sink && outcome.output.defined()) sink(outcome.output, batch.target);
    outcome.output.defined() ? score.add(outcome.output, batch.target, confusion)
                             : score.add_words(loss, batch.target.numel());
    return go_on();
  });
  return score;
}

}  // namespace mixop
