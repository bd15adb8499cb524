#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "host/config/config.hpp"
#include "host/data/dataset_handle.hpp"
#include "host/json/json_writer.hpp"
#include "host/loop/epoch_loop.hpp"
#include "host/task/network_data.hpp"
#include "host/task/score.hpp"
#include "host/task/search_data.hpp"
#include "host/task/training_data.hpp"
#include "mixop/space.hpp"

namespace mixop {

/// A figure that records are measured by, and how people read it.
struct Figure {
  const char* name;    ///< ends the metric's name: "top1" in "valid_top1"
  const char* label;   ///< "top-1"
  const char* format;  ///< of printf, for one double: "%.2f"
  const char* unit;    ///< "%", or empty
  bool larger_is_better;
};

inline constexpr Figure loss_figure{"loss", "loss", "%.4f", "", false};

/// Of a score. Whatever measures, archives or prints one loops over its task's.
struct RecordFigure : Figure {
  double (Score::*of)() const;
};

/// What differs between learning to classify images and to predict text. Whoever needs to know which it is asks here.
class Task {
 public:
  virtual ~Task() = default;
  virtual Domain domain() const = 0;
  /// "images" or "text".
  virtual const char* data_name() const = 0;
  /// What is counted: "images" or "words"; of a training set "records" or "words".
  virtual const char* unit() const = 0;
  virtual const char* record_unit() const = 0;

  /// The batches of searches and trainings. `data` must outlive what is returned where its images are decoded. The second
  /// throws usage where no record is left to train.
  virtual std::unique_ptr<SearchData> open_search_data(const DatasetHandle& data, const Config& config,
                                                       at::ScalarType type, at::Device device) const = 0;
  virtual std::unique_ptr<TrainingData> open_training_data(const DatasetHandle& data, const Config& config,
                                                           at::ScalarType type, at::Device device) const = 0;
  /// A batch without a data set: images of class 0 that are all different, or `rows` rows of the vocabulary's first
  /// word. No random number is drawn.
  virtual Batch drawn_batch(const ImageShape& shape, std::int64_t rows, std::int64_t samples, at::ScalarType type,
                            at::Device device) const = 0;
  /// A hidden state that steps carry on, as far as its shape and type go; undefined where none is carried.
  virtual at::Tensor carried_state(std::int64_t batch, std::int64_t width, const at::TensorOptions& options) const = 0;
  /// Whether every epoch of a training has as many steps as the others.
  virtual bool has_equal_epochs() const = 0;
  /// Whether trainings may multiply in 16 bits.
  virtual bool has_low_precision() const = 0;

  /// Of the steps of an epoch, and of what a search measures its alphas by, beside "loss".
  virtual const Figure& step_figure() const = 0;
  /// Of records that a trained network is measured on, beside "loss"; the first one selects.
  virtual const std::vector<RecordFigure>& record_figures() const = 0;
  /// WHICH_loss and the step figure of sums.
  virtual Metrics means(const EpochSums& sums, const std::string& which) const = 0;
  /// The loss of a score as JSON states it: of images to 4 decimals, behind which it depends on how they come in batches.
  virtual double stated_loss(const Score& score) const = 0;
  /// What a score counts, in JSON: "samples" or "tokens".
  virtual const char* samples_name() const = 0;
  /// The metric of held-out records by which the best epoch of a training is chosen.
  virtual std::string best_epoch_metric() const = 0;
  /// The metrics of an epoch that people are shown, in order, as "  valid loss 1.2345".
  virtual std::string epoch_text(const Metrics& metrics) const = 0;

  /// "16 channels, 8 cells", "width 300".
  virtual std::string size_text(const SpaceKeys& space) const = 0;
  /// The keys of those sizes with their values: "space.channels (16), space.layers (8)".
  virtual std::string size_keys(const SpaceKeys& space) const = 0;
  /// What a step computes a loss for: its images, or the words of its rows.
  virtual std::int64_t samples_of_step(std::int64_t batch, std::int64_t rows) const = 0;
  /// "3x32x32 images of 10 classes", "text of 10000 words".
  virtual std::string data_text(const NetworkData& data) const = 0;
  /// Sizes of its data by their names in archives and in JSON: channels, height and width; nothing for text.
  virtual std::vector<std::pair<const char*, std::int64_t>> shape_members(const ImageShape& shape) const = 0;
  /// What it distinguishes: "classes" or "words".
  virtual const char* classes_name() const = 0;
  /// Whether it matters which class was taken for which.
  virtual bool counts_confusions() const = 0;
  /// Whether the architecture distance of D-DARTS compares its cells, whose operations it weighs.
  virtual bool has_distance() const = 0;
  /// What people read of a data set beside its counts, and the same as members of JSON.
  virtual std::vector<std::string> data_lines(const DatasetHandle& data) const = 0;
  virtual void write_data(JsonWriter& json, const DatasetHandle& data) const = 0;
  /// Data to count a network for where nothing is said of it, and a data set of such sizes without records.
  virtual NetworkData usual_data() const = 0;
  virtual DatasetInfo info_of(const ImageShape& shape, std::int64_t classes) const = 0;
  /// Options of `mixop summary` that mean something to it alone; the one that counts classes or words is the last.
  virtual const std::vector<const char*>& size_options() const = 0;
  /// The preset of the published run of that kind.
  virtual const char* preset(RunKind kind) const = 0;
  /// What trainings that select among searches take from the search beside data set, limit and options, and where they
  /// begin.
  virtual std::vector<std::string> selection_keys(const Config& search) const = 0;

 protected:
  Task() = default;
};

/// All tasks.
const std::vector<const Task*>& tasks();
/// Of data of that kind, MIXOP_DATA_*.
const Task& task_of(std::int32_t data_kind);
const Task& task_of(Domain domain);
const Task& task_of(const NetworkData& data);

/// WHICH_loss and the task's record figures of a score.
Metrics metrics(const Task& task, const Score& score, const std::string& which);

/// A metric of any task as people read it, "valid top-1: 43.10 %"; empty for one that no task has.
std::string figure_text(const std::string& metric, double value);

/// A figure's value as text, "43.10 %", and its number alone.
std::string value_text(const Figure& figure, double value);
std::string number_text(const Figure& figure, double value);
/// "top-1 %"
std::string label_text(const Figure& figure);

}  // namespace mixop
