#include "host/search/run_archive.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/core/grad_mode.h>
#include <torch/version.h>

#include "host/genotype/genotype_json.hpp"
#include "host/json/json.hpp"
#include "host/json/json_writer.hpp"
#include "host/plugins/checks.hpp"
#include "host/search/run_check.hpp"
#include "host/search/stored_tensor.hpp"
#include "host/text/text.hpp"
#include "mixop/version.h"

namespace mixop {
namespace {

const char* group_of(StateKind kind) { return kind == StateKind::parameter ? "/weights" : "/buffers"; }

std::vector<std::string> weight_names(const Network& network) {
  std::vector<std::string> names;
  for (const StateEntry& entry : network.state())
    if (entry.kind == StateKind::parameter) names.push_back(entry.name);
  return names;
}

std::vector<std::string> alpha_names(const Network& network) {
  std::vector<std::string> names;
  for (const AlphaDeclaration& declaration : network.alphas()) names.push_back(declaration.name);
  return names;
}

/// The tensors that an exact resume needs beside the network's own state, by path. They are restored in place.
std::vector<std::pair<std::string, at::Tensor>> training_state(Search& search) {
  std::vector<std::pair<std::string, at::Tensor>> state;
  const auto add = [&](const std::string& group, const std::vector<std::string>& names,
                       const std::vector<at::Tensor>& tensors) {
    for (std::size_t i = 0; i < names.size(); ++i) state.emplace_back(archive_path(group, names[i]), tensors[i]);
  };
  const std::vector<std::string> alphas = alpha_names(search.network());
  add("/optimizer/weights/momentum", weight_names(search.network()), search.weight_optimizer().momenta());
  add("/optimizer/alphas/exp_avg", alphas, search.alpha_optimizer().first_moments());
  add("/optimizer/alphas/exp_avg_sq", alphas, search.alpha_optimizer().second_moments());
  add("/optimizer/alphas/step", alphas, search.alpha_optimizer().steps());
  add("/position/alphas", alphas, search.problem().alphas());
  return state;
}

void put_alphas(ArchiveBuilder& archive, Search& search) {
  const auto& declarations = search.network().alphas();
  for (std::size_t i = 0; i < declarations.size(); ++i) {
    std::vector<at::Tensor> rows;
    for (const auto& row : search.history().alphas) rows.push_back(row[i]);
    const std::string path = archive_path("/alphas", declarations[i].name);
    const std::string labels = archive_path("/operations", declarations[i].name);
    put_tensor(archive, path, at::stack(rows));
    archive.texts(labels, declarations[i].topology.operations);
    archive.scale(path, declarations[i].per_cell ? 3 : 2, labels, "operation");
  }
}

std::string history_json(const StrategyChange& change) {
  JsonWriter json(JsonWriter::Style::compact);
  json.begin_object().member("step", change.step).member("epoch", change.epoch).member("strategy", change.strategy);
  json.member("relaxation", change.parts.relaxation).member("hypergradient", change.parts.hypergradient);
  json.member("regulariser", change.parts.regulariser).member("edge_transform", change.parts.edge_transform);
  json.member("stopper", change.parts.stopper).member("deriver", change.parts.deriver).end();
  return json.text();
}

void put_history(ArchiveBuilder& archive, const SearchHistory& history) {
  std::vector<std::string> genotypes, strategies;
  for (const Genotype& genotype : history.genotypes) genotypes.push_back(genotype_to_json(genotype));
  for (const StrategyChange& change : history.strategies) strategies.push_back(history_json(change));
  archive.texts("/genotypes", genotypes);
  archive.texts("/strategy_history", strategies);
  archive.group("/metrics");
  for (const auto& [name, values] : history.metrics)
    archive.array<double>(archive_path("/metrics", name), {values.size()}, values);
  archive.array<double>(run_layout::step_losses, {history.step_losses.size()}, history.step_losses);
}

void put_provenance(ArchiveBuilder& archive, const Provenance& provenance, Search& search) {
  const std::vector<double>& seconds = search.history().epoch_seconds;
  archive.group("/provenance");
  const auto put = [&](const char* name, const Attribute& value) { archive.attribute("/provenance", name, value); };
  put("mixop", std::string(MIXOP_VERSION_STRING));
  put("libtorch", std::string(TORCH_VERSION));
  const std::uint32_t cuda = HostTraits::current().cuda;
  put("cuda", cuda == 0 ? "none" : cuda_text(cuda));
  put("compiler", std::string("g++ " __VERSION__));
  put("cpu_capability", at::get_cpu_capability());
  put("seed", search.config().seed);
  put("device", provenance.device);
  put("threads", static_cast<std::int64_t>(at::get_num_threads()));
  put("dataset_digest", provenance.dataset_digest);
  put("started", provenance.started);
  archive.text("/provenance/command_line", provenance.command_line);
  archive.texts("/provenance/plugins", provenance.plugins);
  archive.array<double>(run_layout::epoch_seconds, {seconds.size()}, seconds);
}

void put_position(ArchiveBuilder& archive, Search& search) {
  archive.group("/position");
  archive.attribute("/position", "epoch", search.position().epoch);
  archive.attribute("/position", "step", search.position().step);
  archive.attribute("/position", "step_in_epoch", search.step_in_epoch());
  archive.attribute("/position", "loss_sum", search.sums().loss);
  archive.attribute("/position", "correct", search.sums().correct);
  archive.attribute("/position", "samples", search.sums().samples);
  archive.attribute("/position", "stop_reason", search.history().stop_reason);
}

[[noreturn]] void refuse_misfit(const Archive& archive, const std::string& path) {
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

void restore_alphas(Search& search, const Archive& archive) {
  const auto& declarations = search.network().alphas();
  check_alphas(archive, declarations);
  auto& rows = search.history().alphas;
  rows.assign(static_cast<std::size_t>(search.position().epoch) + 1, std::vector<at::Tensor>(declarations.size()));
  for (std::size_t i = 0; i < declarations.size(); ++i) {
    const std::string path = archive_path("/alphas", declarations[i].name);
    const at::Tensor all = get_tensor(archive, path);
    if (all.scalar_type() != search.problem().alphas()[i].scalar_type()) refuse_misfit(archive, path);
    for (std::size_t row = 0; row < rows.size(); ++row) rows[row][i] = all[static_cast<std::int64_t>(row)].clone();
  }
}

void restore_history(Search& search, const Archive& archive) {
  SearchHistory& history = search.history();
  restore_alphas(search, archive);
  history.genotypes = genotypes(archive);
  history.strategies = strategy_changes(archive);
  history.metrics.clear();
  for (const std::string& name : archive.children("/metrics"))
    if (const std::string path = archive_path("/metrics", name); path != run_layout::step_losses)
      history.metrics[name] = archive.values<double>(path);
  history.step_losses = archive.values<double>(run_layout::step_losses);
  history.epoch_seconds = archive.values<double>(run_layout::epoch_seconds);
  history.stop_reason = archive.text("/position", "stop_reason");
}

/// A checked run's epochs have one length; here it must be that of the data at hand.
void restore_position(Search& search, const Archive& archive) {
  search.position().epoch = archive.integer("/position", "epoch");
  search.position().step = archive.integer("/position", "step");
  search.step_in_epoch() = archive.integer("/position", "step_in_epoch");
  search.sums() = {archive.real("/position", "loss_sum"), archive.integer("/position", "correct"),
                   archive.integer("/position", "samples")};
  const std::int64_t length = search.batches().steps_per_epoch(), epoch = search.position().epoch;
  const std::int64_t in_epoch = search.step_in_epoch(), whole = search.position().step - in_epoch;
  if (in_epoch > length || (epoch > 0 && whole / epoch != length))
    refuse(archive, "/position@step",
           "does not fit epochs of " + std::to_string(length) + " steps, which the data at hand and search.batch mean");
}

void restore_parts(Search& search, const Archive& archive) {
  for (const auto& [place, part] : search.strategy().parts()) {
    const std::string group = "/strategy/" + place;
    if (!archive.has(group)) continue;
    NamedTensors tensors;
    for (const std::string& name : archive.children(group))
      tensors[name] = get_tensor(archive, archive_path(group, name));
    part->load(tensors);
  }
}

}  // namespace

ArchiveBuilder archive_of(Search& search, const ConfigTexts& config, const Provenance& provenance) {
  ArchiveBuilder archive;
  archive.attribute("/", "layout", run_layout::name());
  archive.group("/config");
  archive.text("/config/resolved", config.resolved);
  archive.text("/config/verbatim", config.verbatim);
  archive.texts("/config/sets", config.sets);
  put_position(archive, search);
  put_alphas(archive, search);
  put_history(archive, search.history());
  archive.group("/weights");
  archive.group("/buffers");
  for (const StateEntry& entry : search.network().state())
    put_tensor(archive, archive_path(group_of(entry.kind), entry.name), entry.tensor);
  for (const auto& [path, tensor] : training_state(search)) put_tensor(archive, path, tensor);
  archive.group("/strategy");
  for (const auto& [place, part] : search.strategy().parts())
    for (const auto& [name, tensor] : part->save())
      put_tensor(archive, archive_path("/strategy/" + place, name), tensor);
  put_tensor(archive, run_layout::generator, at::detail::getDefaultCPUGenerator().get_state());
  put_provenance(archive, provenance, search);
  return archive;
}

void restore(Search& search, const Archive& archive) {
  check_run(archive);
  restore_position(search, archive);
  restore_history(search, archive);
  for (const StateEntry& entry : search.network().state()) {
    const std::string path = archive_path(group_of(entry.kind), entry.name);
    copy_into(entry.tensor, archive, path);
    require_finite(archive, path);
  }
  for (const auto& [path, tensor] : training_state(search)) copy_into(tensor, archive, path);
  restore_parts(search, archive);
  at::Generator generator = at::detail::getDefaultCPUGenerator();
  generator.set_state(get_tensor(archive, run_layout::generator));
}

}  // namespace mixop
