#pragma once

#include <memory>
#include <string>
#include <vector>

#include "host/search/composition.hpp"
#include "host/search/optimizers.hpp"
#include "host/search/problem.hpp"
#include "mixop/space.hpp"

namespace mixop {

/// A small search on random images, as the program itself would build it, with momentum and weight decay on.
struct SmallSearch {
  SmallSearch(const PluginRegistry& plugins, const std::string& strategy, at::ScalarType type,
              const ComponentOptions& options = {});

  Part<SearchSpace> space;
  Composition composition;
  std::unique_ptr<Network> network;
  std::vector<at::Tensor> alphas;
  std::unique_ptr<Sgd> weights;
  std::unique_ptr<SearchProblem> problem;
};

}  // namespace mixop
