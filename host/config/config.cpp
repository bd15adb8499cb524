#include "host/config/config.hpp"

#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>
#include <sstream>

#include "host/config/keys.hpp"
#include "host/config/layers.hpp"
#include "host/json/rapidjson.hpp"
#include "host/text/text.hpp"

namespace mixop {

namespace {

/// A section, or the whole, with the kind of run whose keys are meant.
template <class Keys>
struct Section {
  Keys& keys;
  RunKind kind;
};

/// Writes the keys of a kind by cereal.
struct CerealVisitor {
  cereal::JSONOutputArchive& archive;
  RunKind kind;

  bool has(const std::optional<RunKind>& only) const { return !only || *only == kind; }
  template <class Member>
  void operator()(const char* name, Member& member, const KeySpec& spec) {
    if (has(spec.only)) archive(cereal::make_nvp(name, member));
  }
  template <class Keys>
  void section(const char* name, Keys& keys, std::optional<RunKind> only) {
    Section<Keys> section{keys, kind};
    if (has(only)) archive(cereal::make_nvp(name, section));
  }
};

}  // namespace

template <class Keys>
void serialize(cereal::JSONOutputArchive& archive, Section<Keys>& section) {
  visit(section.keys, CerealVisitor{archive, section.kind});
}

namespace {

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

StrategySchedule strategies_of(const Config& config) {
  return StrategySchedule({config.search.strategy, config.strategy});
}

std::set<std::string> components_of(const Config& config, const OptionCatalog& catalog) {
  std::set<std::string> components{config.space.name, config.data.name};
  if (config.kind == RunKind::train) return components;
  const StrategySchedule strategies = strategies_of(config);
  for (const std::int64_t epoch : strategies.epochs()) {
    const StrategyNames names = strategies.in(epoch);
    const auto named = catalog.strategies.find(names.strategy);
    for (const auto& [slot, choice] :
         exchanged_parts(named == catalog.strategies.end() ? NamedStrategy{} : named->second, names.parts))
      if (!choice.part.empty()) components.insert(choice.part);
  }
  return components;
}

std::string to_json(const Config& config) {
  std::ostringstream out;
  {
    cereal::JSONOutputArchive archive(out);
    visit(const_cast<Config&>(config), CerealVisitor{archive, config.kind});
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

}  // namespace mixop
