#include "host/search/stored_parts.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/core/grad_mode.h>
#include <torch/version.h>

#include <algorithm>
#include <utility>

#include "host/plugins/checks.hpp"
#include "host/runtime/fused/cpu/kernels.hpp"
#include "host/search/problem.hpp"
#include "host/search/stored_tensor.hpp"
#include "host/text/text.hpp"
#include "mixop/version.h"

namespace mixop::stored {
namespace {

std::string path_of(const StateEntry& entry, const std::string& prefix) {
  return archive_path(prefix + (entry.kind == StateKind::parameter ? "/weights" : "/buffers"), entry.name);
}

/// One path for each of parameters_of().
std::vector<std::string> momentum_paths(const Network& network) {
  std::vector<std::string> paths;
  for (const StateEntry& entry : distinct_state(network))
    if (entry.kind == StateKind::parameter) paths.push_back(archive_path("/optimizer/weights/momentum", entry.name));
  return paths;
}

/// An archive with arrays of another network is not that network's.
void require_all_known(const Network& network, const Archive& archive, const std::string& prefix) {
  std::vector<std::string> known;
  for (const StateEntry& entry : distinct_state(network)) known.push_back(path_of(entry, prefix));
  std::sort(known.begin(), known.end());
  for (const std::string& group : {prefix + "/weights", prefix + "/buffers"})
    for (const std::string& name : archive.children(group))
      if (const std::string path = archive_path(group, name); !std::binary_search(known.begin(), known.end(), path))
        refuse(archive, path, "the network that its own config means has no such array");
}

/// The names behind the first of a tensor that stands in the state more than once.
std::vector<std::string> other_names(const Network& network, const StateEntry& first) {
  std::vector<std::string> names;
  for (const StateEntry& entry : network.state())
    if (entry.tensor.is_same(first.tensor) && entry.name != first.name) names.push_back(entry.name);
  return names;
}

}  // namespace

void put_config(ArchiveBuilder& archive, const ArchiveKind& kind, const ConfigTexts& config) {
  archive.attribute("/", "layout", kind.layout());
  archive.group("/config");
  archive.text(resolved_config, config.resolved);
  archive.text("/config/verbatim", config.verbatim);
  archive.texts("/config/sets", config.sets);
}

void put_position(ArchiveBuilder& archive, const LoopPosition& position) {
  visit(position, SectionWriter(archive, "/position"));
}

void put_data(ArchiveBuilder& archive, const NetworkData& data) { visit(data, SectionWriter(archive, "/data")); }

void put_metrics(ArchiveBuilder& archive, const LoopRecord& record) {
  archive.group("/metrics");
  for (const auto& [name, values] : record.metrics)
    archive.array<double>(archive_path("/metrics", name), {values.size()}, values);
  archive.array<double>(step_losses, {record.step_losses.size()}, record.step_losses);
}

void put_network(ArchiveBuilder& archive, const Network& network, const std::vector<at::Tensor>& values,
                 const std::string& prefix) {
  archive.group(prefix + "/weights");
  archive.group(prefix + "/buffers");
  const std::vector<StateEntry> entries = distinct_state(network);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::string path = path_of(entries[i], prefix);
    put_tensor(archive, path, values[i]);
    if (const std::string also = joined(other_names(network, entries[i]), "\n"); !also.empty())
      archive.attribute(path, other_names_attribute, also);
  }
}

void put_network(ArchiveBuilder& archive, const Network& network, const std::string& prefix) {
  std::vector<at::Tensor> values;
  for (const StateEntry& entry : distinct_state(network)) values.push_back(entry.tensor);
  put_network(archive, network, values, prefix);
}

void put_optimizer(ArchiveBuilder& archive, const Network& network, const Sgd& optimizer) {
  const std::vector<std::string> paths = momentum_paths(network);
  for (std::size_t i = 0; i < paths.size(); ++i) put_tensor(archive, paths[i], optimizer.momenta()[i]);
}

void put_generator(ArchiveBuilder& archive) {
  put_tensor(archive, generator, at::detail::getDefaultCPUGenerator().get_state());
}

void put_provenance(ArchiveBuilder& archive, Provenance provenance, std::int64_t seed,
                    const std::vector<double>& seconds) {
  provenance.mixop = MIXOP_VERSION_STRING;
  provenance.libtorch = TORCH_VERSION;
  const std::uint32_t cuda = HostTraits::current().cuda;
  provenance.cuda = cuda == 0 ? "none" : cuda_text(cuda);
  provenance.compiler = MIXOP_COMPILER;
  provenance.cpu_capability = at::get_cpu_capability();
  provenance.kernels = cpu::kernels<float>().name;
  provenance.seed = seed;
  provenance.threads = at::get_num_threads();
  provenance.epoch_seconds = seconds;
  visit(std::as_const(provenance), SectionWriter(archive, "/provenance"));
  if (!provenance.weights.empty()) archive.text(begun_with, provenance.weights);
}

void refuse_misfit(const Archive& archive, const std::string& path) {
  refuse(archive, path,
         "the archive's array does not have the shape and type that its own config means; was it written by another "
         "version of a plugin?");
}

void copy_into(const at::Tensor& to, const Archive& archive, const std::string& path) {
  const at::NoGradGuard no_grad;
  const at::Tensor from = get_tensor(archive, path);
  if (from.sizes() != to.sizes() || from.scalar_type() != to.scalar_type()) refuse_misfit(archive, path);
  to.detach().copy_(from);
}

LoopPosition position_of(const Archive& archive, const ArchiveKind& kind, std::int64_t epochs,
                         const std::function<std::int64_t(std::int64_t)>& steps_in) {
  LoopPosition position = read_section<LoopPosition>(archive, "/position");
  position.at.epochs = epochs;
  const std::int64_t steps = position.at.epoch == epochs ? 0 : steps_in(position.at.epoch);
  std::int64_t whole = 0;
  for (std::int64_t epoch = 0; epoch < position.at.epoch; ++epoch) whole += steps_in(epoch);
  if (position.step_in_epoch > steps || position.at.step != whole + position.step_in_epoch)
    refuse(archive, "/position@step",
           "does not fit the steps of epochs that the data at hand and " + kind.key("batch") + " mean (" +
               std::to_string(steps_in(0)) + " in the first one)");
  return position;
}

LoopRecord record_of(const Archive& archive) {
  LoopRecord record{{}, archive.values<double>(step_losses), archive.values<double>(epoch_seconds)};
  for (const std::string& name : archive.children("/metrics"))
    if (const std::string path = archive_path("/metrics", name); path != step_losses)
      record.metrics[name] = archive.values<double>(path);
  return record;
}

void restore_network(const Network& network, const Archive& archive, const std::string& prefix) {
  require_all_known(network, archive, prefix);
  for (const StateEntry& entry : distinct_state(network)) {
    copy_into(entry.tensor, archive, path_of(entry, prefix));
    require_finite(archive, path_of(entry, prefix));
  }
}

std::vector<at::Tensor> network_values(const Network& network, const Archive& archive) {
  require_all_known(network, archive, "");
  std::vector<at::Tensor> values;
  for (const StateEntry& entry : distinct_state(network)) {
    values.push_back(at::empty_like(entry.tensor.detach()));
    copy_into(values.back(), archive, path_of(entry, ""));
  }
  return values;
}

void restore_optimizer(const Network& network, const Sgd& optimizer, const Archive& archive) {
  const std::vector<std::string> paths = momentum_paths(network);
  for (std::size_t i = 0; i < paths.size(); ++i) {
    copy_into(optimizer.momenta()[i], archive, paths[i]);
    require_finite(archive, paths[i]);
  }
}

RecurrentState restore_states(const Archive& archive, const std::string& group, const at::Tensor& like) {
  const bool due = like.defined() && archive.integer("/position", "step_in_epoch") > 0;
  if (archive.has(group) != due)
    refuse(archive, group,
           due ? "is not there, and an epoch of text is under way" : "is there, and nothing is carried");
  RecurrentState states;
  const std::size_t count = due ? archive.children(group).size() : 0;
  for (std::size_t k = 0; k < count; ++k) {
    const std::string path = archive_path(group, std::to_string(k));
    require_finite(archive, path);
    states.push_back(at::empty_like(like));
    copy_into(states.back(), archive, path);
  }
  return states;
}

void restore_generator(const Archive& archive) {
  at::Generator state = at::detail::getDefaultCPUGenerator();
  state.set_state(get_tensor(archive, generator));
}

}  // namespace mixop::stored
