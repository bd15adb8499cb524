#pragma once

#include <functional>
#include <string>
#include <vector>

#include "host/archive/archive.hpp"
#include "host/loop/epoch_loop.hpp"
#include "host/search/optimizers.hpp"
#include "host/search/stored_check.hpp"
#include "host/search/stored_fields.hpp"
#include "host/runtime/network.hpp"

// What the archives of searches and of trained networks have in common: writing it and putting it back.

namespace mixop {

/// The config of a run: as the user gave it, and resolved.
struct ConfigTexts {
  std::string verbatim;           ///< the preset's or file's text; empty for the defaults alone
  std::vector<std::string> sets;  ///< --set and the short forms, as given
  std::string resolved;
};

namespace stored {

void put_config(ArchiveBuilder& archive, const ArchiveKind& kind, const ConfigTexts& config);
void put_position(ArchiveBuilder& archive, const LoopPosition& position);
void put_metrics(ArchiveBuilder& archive, const LoopRecord& record);
/// The state of a network below `prefix`: its own, or `values` in the order of distinct_state().
void put_network(ArchiveBuilder& archive, const Network& network, const std::string& prefix = "");
void put_network(ArchiveBuilder& archive, const Network& network, const std::vector<at::Tensor>& values,
                 const std::string& prefix = "");
void put_optimizer(ArchiveBuilder& archive, const Network& network, const Sgd& optimizer);
/// The state of LibTorch's generator.
void put_generator(ArchiveBuilder& archive);
/// What was made, where and by which programs, beside what the run knows of itself.
void put_provenance(ArchiveBuilder& archive, Provenance provenance, std::int64_t seed,
                    const std::vector<double>& epoch_seconds);
void put_data(ArchiveBuilder& archive, const NetworkData& data);

// The ways back, from checked archives. They throw bad_data where the archive does not fit what it is put into.

/// The position in epochs of `steps_in(epoch)` steps.
LoopPosition position_of(const Archive& archive, const ArchiveKind& kind, std::int64_t epochs,
                         const std::function<std::int64_t(std::int64_t)>& steps_in);
LoopRecord record_of(const Archive& archive);
void restore_network(const Network& network, const Archive& archive, const std::string& prefix = "");
/// Those values apart from the network, of its shapes, types and device.
std::vector<at::Tensor> network_values(const Network& network, const Archive& archive);
void restore_optimizer(const Network& network, const Sgd& optimizer, const Archive& archive);
void restore_generator(const Archive& archive);
/// The hidden states below `group`, which must be there within an epoch where `like` is defined, each of its shape and
/// type, and nowhere else.
RecurrentState restore_states(const Archive& archive, const std::string& group, const at::Tensor& like);
/// An array into a tensor of its shape and type.
void copy_into(const at::Tensor& to, const Archive& archive, const std::string& path);
[[noreturn]] void refuse_misfit(const Archive& archive, const std::string& path);

}  // namespace stored
}  // namespace mixop
