#include "host/search/run_archive.hpp"

#include <ATen/ATen.h>

#include "host/genotype/genotype_json.hpp"
#include "host/search/memory_limit.hpp"
#include "host/search/run_check.hpp"
#include "host/search/stored_fields.hpp"
#include "host/search/stored_tensor.hpp"
#include "host/search/strategy_history.hpp"

namespace mixop {
namespace {

std::vector<std::string> alpha_names(const Network& network) {
  std::vector<std::string> names;
  for (const AlphaSet& declaration : network.alphas()) names.push_back(declaration.name);
  return names;
}

/// The tensors of the alphas that an exact resume needs, by path. They are restored in place.
std::vector<std::pair<std::string, at::Tensor>> alpha_state(Search& search) {
  std::vector<std::pair<std::string, at::Tensor>> state;
  const auto add = [&](const std::string& group, const std::vector<std::string>& names,
                       const std::vector<at::Tensor>& tensors) {
    for (std::size_t i = 0; i < names.size(); ++i) state.emplace_back(archive_path(group, names[i]), tensors[i]);
  };
  const std::vector<std::string> alphas = alpha_names(search.network());
  add("/optimizer/alphas/exp_avg", alphas, search.alpha_optimizer().first_moments());
  add("/optimizer/alphas/exp_avg_sq", alphas, search.alpha_optimizer().second_moments());
  add("/optimizer/alphas/step", alphas, search.alpha_optimizer().steps());
  add("/position/alphas", alphas, search.problem().alphas());
  return state;
}

/// "0 -> 2", in the order of the rows.
std::vector<std::string> edge_names(const CellTopology& cell) {
  std::vector<std::string> names;
  for (const auto& [from, to] : cell.edges) names.push_back(std::to_string(from) + " -> " + std::to_string(to));
  return names;
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
    const std::string edges = archive_path("/edges", declarations[i].name);
    archive.texts(edges, edge_names(declarations[i].topology));
    archive.scale(path, declarations[i].per_cell ? 2 : 1, edges, "edge");
  }
}

/// What is dropped of a set in every row, as 0 and 1; undefined where nothing ever is.
at::Tensor dropped_rows(const SearchHistory& history, const AlphaSet& set, std::size_t at) {
  std::vector<at::Tensor> rows;
  bool some = false;
  for (const DroppedOperations& row : history.dropped) {
    const bool here = at < row.size() && row[at].defined();
    rows.push_back(here ? row[at].to(at::kByte) : at::zeros(set.shape(), at::kByte));
    some = some || here;
  }
  return some ? at::stack(rows) : at::Tensor();
}

void put_dropped(ArchiveBuilder& archive, Search& search) {
  const std::vector<AlphaSet>& sets = search.network().alphas();
  for (std::size_t i = 0; i < sets.size(); ++i)
    if (const at::Tensor rows = dropped_rows(search.history(), sets[i], i); rows.defined())
      put_tensor(archive, archive_path("/dropped", sets[i].name), rows);
}

void put_history(ArchiveBuilder& archive, const SearchHistory& history) {
  std::vector<std::string> genotypes, strategies;
  for (const Genotype& genotype : history.genotypes) genotypes.push_back(genotype_to_json(genotype));
  for (const StrategyChange& change : history.strategies) strategies.push_back(to_json(change));
  archive.texts("/genotypes", genotypes);
  archive.texts("/strategy_history", strategies);
}

void restore_alphas(Search& search, const Archive& archive) {
  const auto& declarations = search.network().alphas();
  check_alphas(archive, declarations);
  auto& rows = search.history().alphas;
  rows.assign(static_cast<std::size_t>(search.position().at.epoch) + 1, std::vector<at::Tensor>(declarations.size()));
  for (std::size_t i = 0; i < declarations.size(); ++i) {
    const std::string path = archive_path("/alphas", declarations[i].name);
    const at::Tensor all = get_tensor(archive, path);
    if (all.scalar_type() != search.problem().alphas()[i].scalar_type()) stored::refuse_misfit(archive, path);
    for (std::size_t row = 0; row < rows.size(); ++row) rows[row][i] = all[static_cast<std::int64_t>(row)].clone();
  }
}

void restore_history(Search& search, const Archive& archive) {
  SearchHistory& history = search.history();
  restore_alphas(search, archive);
  history.dropped.clear();
  for (std::size_t row = 0; row < history.alphas.size(); ++row)
    history.dropped.push_back(dropped_operations(archive, search.network().alphas(), static_cast<std::int64_t>(row)));
  history.genotypes = genotypes(archive);
  search.record() = stored::record_of(archive);
  history.stop_reason = read_section<StoredSearch>(archive, "/position").stop_reason;
}

/// The composition in force is that of the last entry.
void restore_strategy(Search& search, const Archive& archive) {
  try {
    search.follow(strategy_changes(archive));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::usage) throw;
    refuse(archive, "/strategy_history", error.what());
  }
}

void restore_position(Search& search, const Archive& archive) {
  search.position() = stored::position_of(archive, run_kind, search.config().search.epochs,
                                          [&](std::int64_t epoch) { return search.data().steps_in(epoch); });
}

/// The network is that of the stage of the last step.
void restore_stage(Search& search, const Archive& archive) {
  const std::int64_t more_layers = search.more_layers_of_last_step();
  if (more_layers == search.more_layers()) return;
  require_stored(archive, all_parameters(search.measured(more_layers)));
  search.make_network(more_layers);
}

/// The hidden states of the epoch under way, by path.
constexpr const char* kStatePaths[] = {"/position/train_state", "/position/valid_state"};

void put_states(ArchiveBuilder& archive, Search& search) {
  const StreamStates& states = search.problem().states();
  const RecurrentState* const both[] = {&states.train, &states.valid};
  for (std::size_t i = 0; i < 2; ++i)
    for (std::size_t k = 0; k < both[i]->size(); ++k)
      put_tensor(archive, archive_path(kStatePaths[i], std::to_string(k)), (*both[i])[k]);
}

void restore_states(Search& search, const Archive& archive) {
  const Config& config = search.config();
  const at::Tensor like = search.task().carried_state(config.search.batch, config.space.width,
                                                      search.problem().weights().front().options());
  search.problem().states() = {
      stored::restore_states(archive, kStatePaths[0], like),
      archive.has(kStatePaths[1]) ? stored::restore_states(archive, kStatePaths[1], like) : RecurrentState{}};
}

void restore_parts(Search& search, const Archive& archive) {
  for (const auto& [slot, part] : search.strategy().parts()) {
    const std::string group = "/strategy/" + slot;
    if (!archive.has(group)) {
      if (!ask("save", &StrategyPart::save, *part).empty())
        refuse(archive, group, "is not there, and " + part->called + " has a state; was it written by another version of a plugin?");
      continue;
    }
    NamedTensors tensors;
    for (const std::string& name : archive.children(group)) {
      require_finite(archive, archive_path(group, name));
      tensors[name] = get_tensor(archive, archive_path(group, name));
    }
    try {
      ask("load", &StrategyPart::load, *part, tensors);
    } catch (const Error& error) {
      refuse(archive, group, error.what());
    }
  }
}

}  // namespace

ArchiveBuilder archive_of(Search& search, const ConfigTexts& config, const Provenance& provenance) {
  ArchiveBuilder archive;
  stored::put_config(archive, run_kind, config);
  stored::put_position(archive, search.position());
  const StoredSearch own{search.history().stop_reason};
  visit(own, SectionWriter(archive, "/position"));
  stored::put_data(archive, search.data_shape());
  put_alphas(archive, search);
  put_dropped(archive, search);
  put_history(archive, search.history());
  stored::put_metrics(archive, search.record());
  stored::put_network(archive, search.network());
  stored::put_optimizer(archive, search.network(), search.weight_optimizer());
  for (const auto& [path, tensor] : alpha_state(search)) put_tensor(archive, path, tensor);
  put_states(archive, search);
  archive.group("/strategy");
  for (const auto& [slot, part] : search.strategy().parts())
    for (const auto& [name, tensor] : ask("save", &StrategyPart::save, *part))
      put_tensor(archive, archive_path("/strategy/" + slot, name), tensor);
  stored::put_generator(archive);
  stored::put_provenance(archive, provenance, search.config().seed, search.record().epoch_seconds);
  return archive;
}

void restore(Search& search, const Archive& archive) {
  check_run(archive);
  restore_strategy(search, archive);
  restore_position(search, archive);
  restore_parts(search, archive);
  restore_stage(search, archive);
  restore_history(search, archive);
  stored::restore_network(search.network(), archive);
  stored::restore_optimizer(search.network(), search.weight_optimizer(), archive);
  for (const auto& [path, tensor] : alpha_state(search)) stored::copy_into(tensor, archive, path);
  restore_states(search, archive);
  stored::restore_generator(archive);
}

}  // namespace mixop
