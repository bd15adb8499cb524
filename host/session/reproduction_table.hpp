#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "host/session/application.hpp"
#include "host/session/experiment.hpp"
#include "host/session/reproduction_plan.hpp"
#include "host/task/task.hpp"

namespace mixop {

/// A figure of the paper beside what came of the runs here. Where several runs have one it is their mean.
struct ReproductionRow {
  std::string what, unit;
  std::optional<PaperFigure> paper;
  std::optional<double> ours, deviation;  ///< the latter of a sample of two and more
  std::size_t runs = 0;
  std::int64_t epochs = 0;  ///< of each
  double cost_s = 0;        ///< of all of them
  std::string note;         ///< what is to be known of it
};

/// What a table is made of. All must outlive it.
struct ReproductionTable {
  const Application& application;
  const Experiment& experiment;
  const ReproductionPlan& plan;
  const Task& task;
  const std::map<std::string, double>& seconds;  ///< that stages took
  std::string left_out;                          ///< which networks the figures are without; empty for none

  /// The rows of what is trained and evaluated so far: figures, size, and what the runs cost by their archives.
  std::vector<ReproductionRow> rows() const;

 private:
  class Rows;
  void add_training(Rows& rows, const TrainedNetwork& trained) const;
};

}  // namespace mixop
