#pragma once

#include <concepts>
#include <string>
#include <type_traits>
#include <vector>

#include "host/archive/sections.hpp"
#include "host/loop/epoch_loop.hpp"
#include "host/task/network_data.hpp"

// Every section of an archive of attributes and lists, each field said once: see host/archive/sections.hpp. Bounds that
// depend on other fields are in check_position() and check_network().

namespace mixop {

template <class Of, class Section>
concept IsStored = std::same_as<std::remove_const_t<Of>, Section>;

/// Where a run comes from: the part of its archive that may differ between two runs of one seed.
struct Provenance {
  std::string command_line;
  std::string started;  ///< UTC, ISO 8601
  std::string device;
  std::string dataset_digest;
  std::vector<std::string> plugins;  ///< "id version sha256" of every plugin that was loaded
  std::string weights{};             ///< "sha256  file" of those that the run began with; empty: they were drawn
  // What the writing of an archive fills in:
  std::string mixop{}, libtorch{}, cuda{}, compiler{}, cpu_capability{}, kernels{};
  std::int64_t seed = 0, threads = 0;
  std::vector<double> epoch_seconds{};
};

/// What a search holds beside network, optimisers, alphas and lists, as attributes.
struct StoredSearch {
  std::string stop_reason;  ///< of its stopper; empty: none
};

/// What a training holds beside network, optimiser and record, as numbers.
struct StoredTraining {
  std::int64_t rollbacks = 0;
  std::int64_t averaged_steps = -1;  ///< -1: averaging has not begun
  std::int64_t best_epoch = 0;       ///< counted from 1; 0: none is kept
  std::int64_t best_averaged_steps = 0;
};

template <IsStored<LoopPosition> Position, class Visitor>
void visit(Position& position, Visitor&& v) {
  v("epoch", position.at.epoch);
  v("step", position.at.step, 0, sections::kAny);
  v("step_in_epoch", position.step_in_epoch);
  v("loss_sum", position.sums.loss);
  v("correct", position.sums.correct);
  v("samples", position.sums.samples);
}

template <IsStored<StoredSearch> Own, class Visitor>
void visit(Own& search, Visitor&& v) {
  v("stop_reason", search.stop_reason);
}

template <IsStored<StoredTraining> Training, class Visitor>
void visit(Training& training, Visitor&& v) {
  v("rollbacks", training.rollbacks, 0, sections::kAny);
  v("averaged_steps", training.averaged_steps);
  v("best_epoch", training.best_epoch);
  v("best_averaged_steps", training.best_averaged_steps);
}

/// What a network was made for.
template <IsStored<NetworkData> Data, class Visitor>
void visit(Data& data, Visitor&& v) {
  if (v.has("channels", data.shape.channels > 0)) {
    v("channels", data.shape.channels, 1, 4);
    v("height", data.shape.height, 1, 16384);
    v("width", data.shape.width, 1, 16384);
    v("mean", data.mean);
    v("deviation", data.deviation);
    v("class_names", data.class_names);
  }
  v("classes", data.classes, 1, std::int64_t{1} << 24);
  v("class_digest", data.class_digest);
}

template <IsStored<Provenance> From, class Visitor>
void visit(From& from, Visitor&& v) {
  v("mixop", from.mixop);
  v("libtorch", from.libtorch);
  v("cuda", from.cuda);
  v("compiler", from.compiler);
  v("cpu_capability", from.cpu_capability);
  v("kernels", from.kernels);
  v("seed", from.seed);
  v("device", from.device);
  v("threads", from.threads);
  v("dataset_digest", from.dataset_digest);
  v("started", from.started);
  v.text("command_line", from.command_line);
  v("plugins", from.plugins);
  v("epoch_seconds", from.epoch_seconds);
}

}  // namespace mixop
