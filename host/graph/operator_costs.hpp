#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "host/graph/measure.hpp"

namespace mixop {

/// What image operators cost, each question asked once.
class OperatorCosts {
 public:
  explicit OperatorCosts(const OperatorCatalog& operators) : operators_(operators) {}

  struct Known {
    Cost cost;
    ImageShape output;
    bool zero = false;  ///< it is zero and nothing else
    /// Which stages without state it begins with, by a number of their own; -1 where there are none or the operator
    /// runs its own code. Equal numbers are computed once.
    int start = -1;
    std::int64_t start_activations = 0;
  };

  /// For one sample of that input. `pools_normalised`: see Choice.
  const Known& of(const std::string& name, const OpSpec& spec, bool pools_normalised, const ImageShape& input);

 private:
  using Spec = std::tuple<std::string, std::int64_t, std::int64_t, std::int64_t, bool>;
  using Question = std::tuple<Spec, bool, std::int64_t, std::int64_t, std::int64_t>;

  Known asked(const std::string& name, const OpSpec& spec, bool pools_normalised, const ImageShape& input);
  Known of_structure(const std::string& name, Structure structure, const ImageShape& input, bool shares);
  Known of_own_code(const MixopOperator& table, const std::string& name, const OpSpec& spec, const ImageShape& input);
  int number_of(const std::vector<Stage>& start);

  const OperatorCatalog& operators_;
  std::map<Question, Known> known_;
  std::map<Spec, std::int64_t> parameters_;  // of instances that were made to count them
  std::vector<std::vector<Stage>> starts_;
};

}  // namespace mixop
