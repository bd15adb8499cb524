#include "host/train/network_check.hpp"

#include "host/genotype/genotype_json.hpp"
#include "host/search/run_check.hpp"
#include "host/search/stored_fields.hpp"
#include "host/search/stored_tensor.hpp"

namespace mixop {
namespace {

bool is_real(const Array& array) { return array.type == ElementType::float32 || array.type == ElementType::float64; }

/// Those of every training, and those of the records that it was measured on.
std::vector<std::string> metric_names(const Archive& archive) {
  const Task& task = task_of(stored::archived_data(archive));
  std::vector<std::string> names{"train_loss", std::string("train_") + task.step_figure().name, "learning_rate",
                                 "drop_path"};
  for (const std::string records : {"valid", "test"}) {
    if (!archive.has("/metrics/" + records + "_loss")) continue;
    names.push_back(records + "_loss");
    for (const Figure& figure : task.record_figures()) names.push_back(records + "_" + figure.name);
  }
  return names;
}

/// Every weight is real, finite and has a momentum of its kind.
void check_weights(const Archive& archive) {
  const std::string momenta = "/optimizer/weights/momentum";
  for (const std::string& name : archive.children("/weights")) {
    const std::string path = archive_path("/weights", name), momentum = archive_path(momenta, name);
    const Array weight = archive.array(path);
    if (!is_real(weight))
      refuse(archive, path, std::string("expected float32 or float64, found ") + element_name(weight.type));
    require_finite(archive, path);
    const Array other = archive.array(momentum);
    if (other.shape != weight.shape || other.type != weight.type)
      refuse(archive, momentum,
             std::string("expected ") + element_name(weight.type) + " " + shape_text(weight.shape) +
                 ", as its weight, found " + element_name(other.type) + " " + shape_text(other.shape));
    require_finite(archive, momentum);
  }
  for (const std::string& name : archive.children("/buffers")) require_finite(archive, archive_path("/buffers", name));
}

/// What is kept and averaged, against the position.
void check_own(const Archive& archive) {
  const auto position = read_section<LoopPosition>(archive, "/position");
  const auto own = read_section<StoredTraining>(archive, "/position");
  const auto within = [&](const char* name, std::int64_t value, std::int64_t least, std::int64_t most) {
    require_within(archive, "/position", name, value, least, most);
  };
  within("averaged_steps", own.averaged_steps, -1, position.at.step);
  within("best_epoch", own.best_epoch, 0, position.at.epoch);
  within("best_averaged_steps", own.best_averaged_steps, 0, own.best_epoch == 0 ? 0 : position.at.step);
  if (own.best_epoch > 0 && !archive.has("/metrics/valid_loss"))
    refuse(archive, "/position@best_epoch", "names an epoch, and no loss of held-out records was measured");
}

}  // namespace

Genotype archived_genotype(const Archive& archive) {
  return genotype_from_json(archive.text("/genotype"), archive.name() + ": /genotype", ErrorCode::bad_data);
}

void check_network(const Archive& archive) {
  stored::check_layout(archive, network_kind);
  stored::check_position(archive, network_kind, /*equal_epochs=*/task_of(stored::archived_data(archive)).has_equal_epochs());
  check_own(archive);
  stored::check_metrics(archive, metric_names(archive));
  (void)archived_genotype(archive);
  check_weights(archive);
  stored::check_generator(archive);
  stored::check_provenance(archive);
}

void check_archive(const Archive& archive) {
  stored::is_of_kind(archive, network_kind) ? check_network(archive) : check_run(archive);
}

Config archived_network_config(const Archive& archive, const OptionCatalog& catalog) {
  check_network(archive);
  return stored::archived_config(archive, network_kind, catalog);
}

}  // namespace mixop
