#include "host/report/archive_json.hpp"

#include <algorithm>
#include <utility>

#include "host/search/archived_run.hpp"
#include "host/search/run_check.hpp"
#include "host/search/stored_fields.hpp"
#include "host/train/network_check.hpp"

namespace mixop {
namespace {

void write_attribute(JsonWriter& json, const Attribute& attribute) {
  std::visit([&](const auto& value) { json.value(value); }, attribute);
}

void write_metrics(JsonWriter& json, const std::map<std::string, std::vector<double>>& metrics, std::size_t epoch) {
  json.begin_object().member("epoch", epoch);
  for (const auto& [name, values] : metrics)
    if (epoch > 0 && epoch <= values.size()) json.member(name, values[epoch - 1]);
}

/// What the network was made for.
void write_data(JsonWriter& json, const Archive& archive) {
  const NetworkData data = stored::archived_data(archive);
  const Task& task = task_of(data);
  json.key("data").begin_object();
  for (const auto& [name, size] : task.shape_members(data.shape)) json.member(name, size);
  json.member(task.classes_name(), data.classes);
  if (!data.class_names.empty()) json.member("class_names", data.class_names);
  for (const auto& [name, values] : {std::pair{"mean", data.mean}, std::pair{"deviation", data.deviation}}) {
    if (values.empty()) continue;
    json.key(name).begin_list();
    for (const double value : values) json.value(value);
    json.end();
  }
  json.end();
}

/// A search's epochs begin at 0, the start, and have a genotype each.
void write_run(JsonWriter& json, const Archive& archive) {
  const auto metrics = epoch_metrics(archive);
  const std::vector<std::string> genotypes = archive.texts("/genotypes");
  json.key("epochs").begin_list();
  for (std::size_t epoch = 0; epoch < genotypes.size(); ++epoch) {
    write_metrics(json, metrics, epoch);
    json.member("alphas_moved", alphas_moved(archive, static_cast<std::int64_t>(epoch)));
    json.key("genotype").raw(genotypes[epoch]).end();
  }
  json.end();
  write_data(json, archive);
  json.key("strategy_history").begin_list();
  for (const std::string& change : archive.texts("/strategy_history")) json.raw(change);
  json.end();
}

void write_network(JsonWriter& json, const Archive& archive) {
  const auto metrics = epoch_metrics(archive);
  const auto epochs = static_cast<std::size_t>(archive.integer("/position", "epoch"));
  json.key("genotype").raw(archive.text("/genotype"));
  write_data(json, archive);
  json.key("epochs").begin_list();
  for (std::size_t epoch = 1; epoch <= epochs; ++epoch) {
    write_metrics(json, metrics, epoch);
    json.end();
  }
  const HeldNetwork held = held_network(archive);
  json.end().member("kept_epoch", held.epoch).member("averaged_steps", std::max<std::int64_t>(0, held.averaged_steps));
  json.member("rollbacks", archive.integer("/position", "rollbacks"));
}

}  // namespace

void write_provenance(JsonWriter& json, const Archive& archive) {
  json.begin_object();
  for (const std::string& name : archive.attributes("/provenance")) {
    json.key(name);
    write_attribute(json, archive.attribute("/provenance", name));
  }
  json.member("command_line", archive.text("/provenance/command_line"));
  if (archive.has(stored::begun_with)) json.member("weights", archive.text(stored::begun_with));
  json.member("plugins", archive.texts("/provenance/plugins")).end();
}

std::map<std::string, std::vector<double>> epoch_metrics(const Archive& archive) {
  std::map<std::string, std::vector<double>> metrics;
  for (const std::string& name : archive.children("/metrics"))
    if (name.rfind("step_", 0) != 0) metrics[name] = archive.values<double>(archive_path("/metrics", name));
  return metrics;
}

HeldNetwork held_network(const Archive& archive) {
  const auto own = read_section<StoredTraining>(archive, "/position");
  if (own.best_epoch > 0) return {own.best_epoch, own.best_averaged_steps, true};
  return {read_section<LoopPosition>(archive, "/position").at.epoch, own.averaged_steps, false};
}

void write_archive(JsonWriter& json, const Archive& archive) {
  json.key("config").raw(archive.text(stored::resolved_config)).key("provenance");
  write_provenance(json, archive);
  stored::is_of_kind(archive, network_kind) ? write_network(json, archive) : write_run(json, archive);
  json.member("step", archive.integer("/position", "step"));
}

}  // namespace mixop
