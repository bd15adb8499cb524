#include "host/search/run_archive.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/core/grad_mode.h>
#include <torch/version.h>

#include <charconv>
#include <cmath>
#include <limits>

#include "host/genotype/genotype_json.hpp"
#include "host/json/json.hpp"
#include "host/json/json_writer.hpp"
#include "host/plugins/checks.hpp"
#include "host/text/text.hpp"
#include "mixop/version.h"

namespace mixop {
namespace {

constexpr const char* kLayoutKind = "mixop.run";
constexpr unsigned kLayoutVersion = 1;
constexpr const char* kStepLosses = "/metrics/step_train_loss";
constexpr const char* kEpochSeconds = "/provenance/epoch_seconds";
constexpr const char* kGenerator = "/random/generator";

ElementType stored_type(at::ScalarType type, const std::string& path) {
  switch (type) {
    case at::kByte:
      return ElementType::uint8;
    case at::kInt:
      return ElementType::int32;
    case at::kLong:
      return ElementType::int64;
    case at::kFloat:
      return ElementType::float32;
    case at::kDouble:
      return ElementType::float64;
    default:
      throw Error(ErrorCode::unsupported, path + ": archives hold no tensors of type " + at::toString(type));
  }
}

at::ScalarType tensor_type(ElementType type) {
  switch (type) {
    case ElementType::uint8:
      return at::kByte;
    case ElementType::int32:
      return at::kInt;
    case ElementType::int64:
      return at::kLong;
    case ElementType::float32:
      return at::kFloat;
    case ElementType::float64:
      return at::kDouble;
  }
  return at::kByte;
}

std::string layout() { return kLayoutKind + ("/" + std::to_string(kLayoutVersion)); }

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
  archive.array<double>(kStepLosses, {history.step_losses.size()}, history.step_losses);
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
  archive.array<double>(kEpochSeconds, {seconds.size()}, seconds);
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

[[noreturn]] void refuse(const Archive& archive, const std::string& path, const std::string& what) {
  throw Error(ErrorCode::bad_data, archive.name() + ": " + path + ": " + what);
}

void check_layout(const Archive& archive) {
  const std::string found = archive.text("/", "layout"), kind = kLayoutKind + std::string("/");
  const std::string version = found.rfind(kind, 0) == 0 ? found.substr(kind.size()) : "";
  unsigned number = 0;
  const auto [end, problem] = std::from_chars(version.data(), version.data() + version.size(), number);
  if (problem != std::errc() || *end != '\0' || number == 0)
    refuse(archive, "/@layout", "expected a search, " + layout() + ", found '" + found + "'");
  if (number > kLayoutVersion)
    refuse(archive, "/@layout", found + "; this program reads " + layout() + ", so use a newer one");
}

std::int64_t position_within(const Archive& archive, const char* name, std::int64_t least, std::int64_t most) {
  const std::int64_t value = archive.integer("/position", name);
  if (value < least || value > most)
    refuse(archive, std::string("/position@") + name,
           "expected " + std::to_string(least) + " to " + std::to_string(most) + ", found " + std::to_string(value));
  return value;
}

/// search.epochs of the resolved config, which may hold keys of plugins that are not loaded.
std::int64_t configured_epochs(const Archive& archive) {
  const std::string path = "/config/resolved";
  const JsonValue root = parse_json(archive.text(path), archive.name() + ": " + path, ErrorCode::bad_data);
  const JsonValue* search = root.find("search");
  const JsonValue* epochs = search == nullptr ? nullptr : search->find("epochs");
  if (epochs == nullptr || !epochs->is(JsonValue::Kind::integer) || epochs->integer < 1)
    refuse(archive, path, "expected a number of epochs from 1 on in search.epochs");
  return epochs->integer;
}

void check_position(const Archive& archive) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  const std::int64_t epochs = configured_epochs(archive);
  const std::int64_t epoch = position_within(archive, "epoch", 0, epochs);
  const std::int64_t step = position_within(archive, "step", 0, kMost);
  const std::int64_t in_epoch = position_within(archive, "step_in_epoch", 0, epoch == epochs ? 0 : step);
  const std::int64_t whole = step - in_epoch;
  const bool fits = epoch == 0 ? whole == 0 : whole > 0 && whole % epoch == 0 && in_epoch <= whole / epoch;
  if (!fits)
    refuse(archive, "/position@step",
           std::to_string(step) + " steps, " + std::to_string(in_epoch) +
               " of them in the epoch under way, do not make " + std::to_string(epoch) + " epochs of one length");
  const std::int64_t samples = position_within(archive, "samples", in_epoch, in_epoch == 0 ? 0 : kMost);
  position_within(archive, "correct", 0, samples);
  if (!std::isfinite(archive.real("/position", "loss_sum"))) refuse(archive, "/position@loss_sum", "is not finite");
  (void)archive.text("/position", "stop_reason");
}

void check_count(const Archive& archive, const std::string& path, std::uint64_t expected, std::uint64_t found,
                 const char* one_for) {
  if (found != expected)
    refuse(archive, path,
           "expected " + std::to_string(expected) + ", one for " + one_for + ", found " + std::to_string(found));
}

StrategyChange strategy_change(const std::string& text, const std::string& where) {
  const JsonValue json = parse_json(text, where, ErrorCode::bad_data);
  const auto member = [&](const char* key, JsonValue::Kind kind) -> const JsonValue& {
    const JsonValue* found = json.find(key);
    if (found != nullptr && found->is(kind)) return *found;
    throw Error(ErrorCode::bad_data, where + ": expected " +
                                         (kind == JsonValue::Kind::integer ? "a whole number" : "a text") + " in '" +
                                         key + "', found " + (found == nullptr ? "nothing" : found->describe()));
  };
  const auto integer = [&](const char* key) { return member(key, JsonValue::Kind::integer).integer; };
  const auto name = [&](const char* key) { return member(key, JsonValue::Kind::text).text; };
  return {integer("step"),
          integer("epoch"),
          name("strategy"),
          {name("relaxation"), name("hypergradient"), name("regulariser"), name("edge_transform"), name("stopper"),
           name("deriver")}};
}

std::vector<StrategyChange> strategy_changes(const Archive& archive) {
  std::vector<StrategyChange> changes;
  for (const std::string& text : archive.texts("/strategy_history"))
    changes.push_back(strategy_change(text, archive.name() + ": /strategy_history"));
  if (changes.empty()) refuse(archive, "/strategy_history", "is empty; a search has a strategy from its start on");
  return changes;
}

std::vector<Genotype> genotypes(const Archive& archive) {
  std::vector<Genotype> all;
  for (const std::string& text : archive.texts("/genotypes"))
    all.push_back(genotype_from_json(text, archive.name() + ": /genotypes", ErrorCode::bad_data));
  return all;
}

void check_history(const Archive& archive, std::uint64_t epochs, std::uint64_t steps) {
  check_count(archive, "/genotypes", epochs + 1, genotypes(archive).size(), "the start and each epoch");
  for (const std::string& name : archive.children("/metrics")) {
    const std::string path = archive_path("/metrics", name);
    const bool of_steps = path == kStepLosses;
    check_count(archive, path, of_steps ? steps : epochs, archive.values<double>(path).size(),
                of_steps ? "each step" : "each epoch");
  }
  check_count(archive, kStepLosses, steps, archive.values<double>(kStepLosses).size(), "each step");
  check_count(archive, kEpochSeconds, epochs, archive.values<double>(kEpochSeconds).size(), "each epoch");
  (void)strategy_changes(archive);
}

void require_finite(const Archive& archive, const std::string& path) {
  if (!get_tensor(archive, path).isfinite().all().item<bool>())
    refuse(archive, path, "holds values that are not finite");
}

void check_table(const Archive& archive, const std::string& name, std::uint64_t rows) {
  const std::string path = archive_path("/alphas", name);
  const Array table = archive.array(path);
  if (table.type != ElementType::float32 && table.type != ElementType::float64)
    refuse(archive, path, std::string("expected float32 or float64, found ") + element_name(table.type));
  const std::size_t operations = archive.texts(archive_path("/operations", name)).size();
  const bool fits = (table.shape.size() == 3 || table.shape.size() == 4) && table.shape.front() == rows &&
                    table.shape.back() == operations;
  if (!fits)
    refuse(archive, path,
           "expected the shape [" + std::to_string(rows) + ", (cells,) edges, " + std::to_string(operations) +
               "], found " + shape_text(table.shape));
  require_finite(archive, path);
}

/// LibTorch itself judges the state, on a generator that nobody uses.
void check_generator(const Archive& archive) {
  at::Generator trial = at::detail::createCPUGenerator();
  const at::Tensor state = get_tensor(archive, kGenerator);
  try {
    trial.set_state(state);
  } catch (const c10::Error&) {
    refuse(archive, kGenerator,
           "the " + std::to_string(state.nbytes()) + " bytes are no state of LibTorch's generator, which has " +
               std::to_string(trial.get_state().nbytes()) + "; was it written by another version of LibTorch?");
  }
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
    if (const std::string path = archive_path("/metrics", name); path != kStepLosses)
      history.metrics[name] = archive.values<double>(path);
  history.step_losses = archive.values<double>(kStepLosses);
  history.epoch_seconds = archive.values<double>(kEpochSeconds);
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

void put_tensor(ArchiveBuilder& archive, const std::string& path, const at::Tensor& tensor) {
  const at::Tensor plain = tensor.detach().to(at::kCPU).contiguous();
  const std::vector<std::uint64_t> shape(plain.sizes().begin(), plain.sizes().end());
  archive.array(path, stored_type(plain.scalar_type(), path), shape, plain.data_ptr());
}

at::Tensor get_tensor(const Archive& archive, const std::string& path) {
  const Array array = archive.array(path);
  for (const std::uint64_t size : array.shape)  // an empty array may claim any
    if (size > std::numeric_limits<std::int32_t>::max() && array.bytes.empty())
      refuse(archive, path, "an empty array of the shape " + shape_text(array.shape));
  const std::vector<std::int64_t> shape(array.shape.begin(), array.shape.end());
  at::Tensor tensor = at::empty(shape, tensor_type(array.type));
  if (!array.bytes.empty()) std::memcpy(tensor.data_ptr(), array.bytes.data(), array.bytes.size());
  return tensor;
}

ArchiveBuilder archive_of(Search& search, const ConfigTexts& config, const Provenance& provenance) {
  ArchiveBuilder archive;
  archive.attribute("/", "layout", layout());
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
  put_tensor(archive, kGenerator, at::detail::getDefaultCPUGenerator().get_state());
  put_provenance(archive, provenance, search);
  return archive;
}

void check_run(const Archive& archive) {
  check_layout(archive);
  check_position(archive);
  const auto epochs = static_cast<std::uint64_t>(archive.integer("/position", "epoch"));
  check_history(archive, epochs, static_cast<std::uint64_t>(archive.integer("/position", "step")));
  for (const std::string& name : archive.children("/alphas")) check_table(archive, name, epochs + 1);
  for (const std::string& name : archive.children("/position/alphas"))
    require_finite(archive, archive_path("/position/alphas", name));
  check_generator(archive);
  for (const char* name : {"started", "dataset_digest"}) (void)archive.text("/provenance", name);
}

void check_alphas(const Archive& archive, const std::vector<AlphaDeclaration>& declarations) {
  const auto rows = static_cast<std::uint64_t>(archive.integer("/position", "epoch")) + 1;
  for (const AlphaDeclaration& declaration : declarations) {
    const std::string path = archive_path("/alphas", declaration.name);
    const std::string labels = archive_path("/operations", declaration.name);
    std::vector<std::uint64_t> shape{rows, declaration.topology.edges.size(), declaration.topology.operations.size()};
    if (declaration.per_cell) shape.insert(shape.begin() + 1, declaration.cells.size());
    const std::vector<std::uint64_t> found = archive.array(path).shape;
    if (found != shape)
      refuse(
          archive, path,
          "expected the shape " + shape_text(shape) + ", which the config's space means, found " + shape_text(found));
    if (const auto operations = archive.texts(labels); operations != declaration.topology.operations)
      refuse(archive, labels,
             "expected the operations " + joined(declaration.topology.operations) + ", found " + joined(operations));
  }
}

Config archived_config(const Archive& archive, const OptionCatalog& catalog) {
  check_run(archive);
  return config_from_json(archive.text("/config/resolved"), archive.name() + ": /config/resolved", catalog,
                          ErrorCode::bad_data);
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
  generator.set_state(get_tensor(archive, kGenerator));
}

}  // namespace mixop
