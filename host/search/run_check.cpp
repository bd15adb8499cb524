#include "host/search/run_check.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <charconv>
#include <cmath>
#include <limits>

#include "host/genotype/genotype_json.hpp"
#include "host/json/json.hpp"
#include "host/search/stored_tensor.hpp"
#include "host/text/text.hpp"

namespace mixop {
namespace {

void check_layout(const Archive& archive) {
  const std::string found = archive.text("/", "layout"), kind = run_layout::kind + std::string("/");
  const std::string version = found.rfind(kind, 0) == 0 ? found.substr(kind.size()) : "";
  unsigned number = 0;
  const auto [end, problem] = std::from_chars(version.data(), version.data() + version.size(), number);
  if (problem != std::errc() || *end != '\0' || number == 0)
    refuse(archive, "/@layout", "expected a search, " + run_layout::name() + ", found '" + found + "'");
  if (number > run_layout::version)
    refuse(archive, "/@layout", found + "; this program reads " + run_layout::name() + ", so use a newer one");
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

void check_history(const Archive& archive, std::uint64_t epochs, std::uint64_t steps) {
  check_count(archive, "/genotypes", epochs + 1, genotypes(archive).size(), "the start and each epoch");
  for (const std::string& name : archive.children("/metrics")) {
    const std::string path = archive_path("/metrics", name);
    const bool of_steps = path == run_layout::step_losses;
    check_count(archive, path, of_steps ? steps : epochs, archive.values<double>(path).size(),
                of_steps ? "each step" : "each epoch");
  }
  check_count(archive, run_layout::step_losses, steps, archive.values<double>(run_layout::step_losses).size(),
              "each step");
  check_count(archive, run_layout::epoch_seconds, epochs, archive.values<double>(run_layout::epoch_seconds).size(),
              "each epoch");
  (void)strategy_changes(archive);
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
  const at::Tensor state = get_tensor(archive, run_layout::generator);
  try {
    trial.set_state(state);
  } catch (const c10::Error&) {
    refuse(archive, run_layout::generator,
           "the " + std::to_string(state.nbytes()) + " bytes are no state of LibTorch's generator, which has " +
               std::to_string(trial.get_state().nbytes()) + "; was it written by another version of LibTorch?");
  }
}

}  // namespace

std::string run_layout::name() { return kind + ("/" + std::to_string(version)); }

void refuse(const Archive& archive, const std::string& path, const std::string& what) {
  throw Error(ErrorCode::bad_data, archive.name() + ": " + path + ": " + what);
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

void require_finite(const Archive& archive, const std::string& path) {
  if (!get_tensor(archive, path).isfinite().all().item<bool>())
    refuse(archive, path, "holds values that are not finite");
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

}  // namespace mixop
