#include "host/config/config.hpp"

#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>
#include <sstream>

#include "host/config/layers.hpp"
#include "host/json/rapidjson.hpp"
#include "host/text/text.hpp"

namespace mixop {

template <class Archive>
void serialize(Archive& archive, DataConfig& c) {
  archive(cereal::make_nvp("name", c.name), cereal::make_nvp("dir", c.dir),
          cereal::make_nvp("train_limit", c.train_limit), cereal::make_nvp("train_portion", c.train_portion),
          cereal::make_nvp("cutout", c.cutout), cereal::make_nvp("augment", c.augment),
          cereal::make_nvp("policy", c.policy), cereal::make_nvp("workers", c.workers),
          cereal::make_nvp("bptt", c.bptt));
}

namespace {

/// A section of which each kind of run has keys of its own.
template <class Keys>
struct Section {
  Keys& keys;
  RunKind kind;
};

}  // namespace

template <class Archive>
void serialize(Archive& archive, Section<SpaceKeys>& section) {
  SpaceKeys& c = section.keys;
  const bool search = section.kind == RunKind::search;
  archive(cereal::make_nvp("name", c.name), cereal::make_nvp("channels", c.channels),
          cereal::make_nvp("layers", c.layers), cereal::make_nvp("width", c.width));
  if (search) archive(cereal::make_nvp("nodes", c.nodes), cereal::make_nvp("ops", c.ops));
  archive(cereal::make_nvp("stem", c.stem));
  if (search) archive(cereal::make_nvp("baseline", c.baseline), cereal::make_nvp("alpha_init", c.alpha_init));
}

template <class Archive>
void serialize(Archive& archive, SearchConfig& c) {
  archive(cereal::make_nvp("epochs", c.epochs), cereal::make_nvp("pretrain_epochs", c.pretrain_epochs),
          cereal::make_nvp("batch", c.batch), cereal::make_nvp("strategy", c.strategy));
}

template <class Archive>
void serialize(Archive& archive, TrainConfig& c) {
  archive(cereal::make_nvp("epochs", c.epochs), cereal::make_nvp("batch", c.batch),
          cereal::make_nvp("auxiliary", c.auxiliary), cereal::make_nvp("drop_path", c.drop_path),
          cereal::make_nvp("label_smoothing", c.label_smoothing), cereal::make_nvp("keep", c.keep),
          cereal::make_nvp("nonmono", c.nonmono), cereal::make_nvp("rollbacks", c.rollbacks));
}

template <class Archive>
void serialize(Archive& archive, Section<WeightsConfig>& section) {
  WeightsConfig& c = section.keys;
  const bool train = section.kind == RunKind::train;
  archive(cereal::make_nvp("lr", c.lr));
  if (train) archive(cereal::make_nvp("schedule", c.schedule));
  archive(cereal::make_nvp("lr_min", c.lr_min));
  if (train) archive(cereal::make_nvp("gamma", c.gamma), cereal::make_nvp("warmup", c.warmup));
  archive(cereal::make_nvp("momentum", c.momentum), cereal::make_nvp("decay", c.decay),
          cereal::make_nvp("clip", c.clip));
}

template <class Archive>
void serialize(Archive& archive, AlphasConfig& c) {
  archive(cereal::make_nvp("lr", c.lr), cereal::make_nvp("schedule", c.schedule), cereal::make_nvp("lr_min", c.lr_min),
          cereal::make_nvp("betas", c.betas), cereal::make_nvp("decay", c.decay));
}

template <class Archive>
void serialize(Archive& archive, SlotNames& names) {
  for (const StrategySlot& slot : strategy_slots)
    archive(cereal::make_nvp(std::string(slot.name).c_str(), names[slot.name]));
}

namespace {

/// All keys but the options of components, whose names no schema knows.
template <class Archive, class AnyConfig>
void serialize_keys(Archive& archive, AnyConfig& c) {
  archive(cereal::make_nvp("seed", c.seed), cereal::make_nvp("threads", c.threads),
          cereal::make_nvp("device", c.device), cereal::make_nvp("precision", c.precision),
          cereal::make_nvp("data", c.data), cereal::make_nvp("space", Section<SpaceKeys>{c.space, c.kind}));
  Section<WeightsConfig> weights{c.weights, c.kind};
  if (c.kind == RunKind::train) {
    archive(cereal::make_nvp("train", c.train), cereal::make_nvp("weights", weights));
  } else {
    archive(cereal::make_nvp("search", c.search), cereal::make_nvp("weights", weights),
            cereal::make_nvp("alphas", c.alphas), cereal::make_nvp("strategy", c.strategy));
  }
}

void write_option(cereal::JSONOutputArchive& archive, const std::string& name, const ComponentOption& option) {
  KeySpec spec;
  spec.key = name;
  spec.type = option.type;
  const JsonValue value = value_from_text(spec, option.text, "option");
  switch (option.type) {
    case KeyType::boolean:
      archive(cereal::make_nvp(name, value.boolean));
      break;
    case KeyType::integer:
      archive(cereal::make_nvp(name, value.integer));
      break;
    case KeyType::real:
      archive(cereal::make_nvp(name, value.number));
      break;
    case KeyType::list:
      archive(cereal::make_nvp(name, split(option.text, ',')));
      break;
    default:
      archive(cereal::make_nvp(name, option.text));
  }
}

void write_options(cereal::JSONOutputArchive& archive, const Config& config) {
  for (const auto& [component, options] : config.options) {
    archive.setNextName(component.c_str());
    archive.startNode();
    for (const auto& [name, option] : options) write_option(archive, name, option);
    archive.finishNode();
  }
}

}  // namespace

std::set<std::string> components_of(const Config& config, const OptionCatalog& catalog) {
  std::set<std::string> components{config.space.name, config.data.name};
  if (config.kind == RunKind::train) return components;
  const auto named = catalog.strategies.find(config.search.strategy);
  for (const auto& [slot, choice] :
       exchanged_parts(named == catalog.strategies.end() ? NamedStrategy{} : named->second, config.strategy))
    if (!choice.part.empty()) components.insert(choice.part);
  return components;
}

Config default_config(RunKind kind) {
  Config config;
  config.kind = kind;
  if (kind == RunKind::search) return config;
  config.seed = 0;
  config.data.train_portion = 1;
  config.data.cutout = 16;
  config.space.channels = 36;
  config.space.layers = 20;
  config.weights.lr_min = 0;
  return config;
}

std::string to_json(const Config& config) {
  std::ostringstream out;
  {
    cereal::JSONOutputArchive archive(out);
    serialize_keys(archive, const_cast<Config&>(config));
    write_options(archive, config);
  }
  return out.str() + "\n";
}

Config config_from_json(std::string_view text, const std::string& file, const OptionCatalog& catalog, ErrorCode code,
                        RunKind kind) {
  ConfigLayers layers(catalog, kind);
  const JsonValue root = parse_json(text, file, code);
  try {
    layers.add_object(root, file);
    return layers.config();
  } catch (const Error& error) {
    throw Error(error.code() == ErrorCode::usage ? code : error.code(), error.what());
  }
}

Config config_from_layer_json(const std::string& json, RunKind kind) {
  std::istringstream in(json);
  cereal::JSONInputArchive archive(in);
  Config config = default_config(kind);
  serialize_keys(archive, config);
  return config;
}

}  // namespace mixop
