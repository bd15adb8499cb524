#include "host/search/bilevel_step.hpp"

namespace mixop {

void take_bilevel_step(SearchProblem& problem, const Composition& strategy, Adam& alphas, Sgd& weights,
                       const StepRates& rates) {
  auto& hypergradient = strategy.part<Hypergradient>();
  if (rates.alphas_move) {
    const auto moves = ask("alpha_gradients", &Hypergradient::alpha_gradients, hypergradient, problem);
    if (!moves.empty()) alphas.step(moves, rates.alphas);
  }
  const std::vector<at::Tensor> gradients =
      rates.alphas_move ? ask("weight_gradients", &Hypergradient::weight_gradients, hypergradient, problem)
                        : problem.gradients(problem.weight_loss(), problem.weights());
  problem.clip(gradients, problem.weight_step().clip);
  weights.step(gradients, rates.weights);
  problem.finish_step();
}

}  // namespace mixop
