#include "host/plugins/descriptor.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <map>
#include <set>
#include <string_view>

#include "host/genotype/operation_name.hpp"
#include "host/plugins/names.hpp"
#include "host/plugins/option_values.hpp"
#include "host/text/printable.hpp"
#include "mixop/abi/ext/backward.h"
#include "mixop/abi/ext/cost.h"
#include "mixop/abi/ext/structure.h"
#include "mixop/slots.hpp"
#include "mixop/utf8.hpp"

namespace mixop {
namespace {

constexpr std::size_t kLongestName = 128;
constexpr std::size_t kLongestText = 1000;
constexpr std::uint32_t kMostComponents = 4096;
constexpr std::uint32_t kMostOptions = 256;

enum class Table { op, dataset, factory, strategy };

struct Interface {
  std::string_view id;
  std::uint32_t kind;
  Table table;
  bool tensors = false;  ///< cross as C++ objects
};

/// What components may say they are.
std::vector<Interface> interfaces() {
  std::vector<Interface> all = {{MIXOP_OPERATOR_INTERFACE, MIXOP_KIND_OPERATOR, Table::op},
                                {MIXOP_DATASET_INTERFACE, MIXOP_KIND_DATASET, Table::dataset},
                                {"mixop.space/1", MIXOP_KIND_SPACE, Table::factory},
                                {MIXOP_STRATEGY_INTERFACE, MIXOP_KIND_STRATEGY, Table::strategy}};
  for (const StrategySlot& slot : strategy_slots)
    all.push_back({slot.interface_id, MIXOP_KIND_STRATEGY, Table::factory, /*tensors=*/true});
  return all;
}

// Refuses one plugin: every check of a descriptor ends here.
class Reader {
 public:
  Reader(const PluginFile& file, PluginCheck check) : file_(file), check_(check) {}

  [[noreturn]] void refuse(const std::string& problem) const { throw PluginRefused(check_, file_.path, problem); }

  void require_size(const std::string& what, std::uint32_t found, std::size_t least) const {
    if (found < least)
      refuse(what + " has size " + std::to_string(found) + "; expected at least " + std::to_string(least) +
             ". Set the field to sizeof of the struct");
  }

  std::string text(const std::string& what, const char* value, std::size_t longest, bool may_be_empty = false) const {
    if (value == nullptr) refuse(what + " is NULL; expected a text");
    const std::size_t length = ::strnlen(value, longest + 1);
    if (length > longest) refuse(what + " is longer than " + std::to_string(longest) + " bytes");
    if (length == 0 && !may_be_empty) refuse(what + " is empty");
    const std::string copy(value, length);
    if (!is_printable(copy)) refuse(what + " contains control characters or is not UTF-8: '" + excerpt(copy) + "'");
    return copy;
  }

  std::string name(const std::string& what, const char* value) const {
    std::string copy = text(what, value, kLongestName);
    if (!is_plain_name(copy))
      refuse(what + " is '" + excerpt(copy) + "'; expected letters, digits, '_', '-' and '.' alone");
    return copy;
  }

  // A name, or PLUGIN/NAME.
  std::string part_name(const std::string& what, const char* value) const {
    std::string copy = text(what, value, 2 * kLongestName);
    if (!is_component_name(copy))
      refuse(what + " is '" + excerpt(copy) +
             "'; expected letters, digits, '_', '-' and '.' alone, or two such names as PLUGIN/NAME");
    return copy;
  }

  template <class Pointer>
  void require(const std::string& what, const char* field, Pointer pointer) const {
    if (pointer == nullptr) refuse(what + ": '" + field + "' is NULL; expected a function");
  }

  // The host's copy of a plugin's array, whose elements lie as far apart as the first one says: what `size` covers, and
  // zeros behind it.
  template <class T>
  std::vector<T> copy_array(const std::string& what, const T* first, std::uint32_t count,
                            std::size_t least = sizeof(T)) const {
    std::vector<T> copies;
    const auto* bytes = reinterpret_cast<const char*>(first);
    for (std::uint32_t i = 0; i < count; ++i) {
      const char* element = bytes + std::size_t{i} * first->size;
      std::uint32_t size = 0;
      std::memcpy(&size, element, sizeof size);
      const std::string place = what + " " + std::to_string(i);
      require_size(place, size, least);
      if (size != first->size)
        refuse(place + " has size " + std::to_string(size) + "; expected " + std::to_string(first->size) +
               ", as the array's first element. Set the field to sizeof of the struct");
      std::memcpy(&copies.emplace_back(), element, std::min<std::size_t>(size, sizeof(T)));
      copies.back().size = sizeof(T);
    }
    return copies;
  }

  std::vector<MixopOptionSpec> options(const std::string& what, const MixopOptionSpec* options,
                                       std::uint32_t count) const;

 private:
  const PluginFile& file_;
  PluginCheck check_;
};

std::vector<MixopOptionSpec> Reader::options(const std::string& what, const MixopOptionSpec* options,
                                             std::uint32_t count) const {
  if (count > kMostOptions)
    refuse(what + " declares " + std::to_string(count) + " options; expected at most " + std::to_string(kMostOptions));
  if (count > 0 && options == nullptr) refuse(what + " declares " + std::to_string(count) + " options at NULL");
  std::vector<MixopOptionSpec> copies = copy_array(what + ", option", options, count);
  std::set<std::string> names;
  for (std::size_t i = 0; i < copies.size(); ++i) {
    const MixopOptionSpec& option = copies[i];
    const std::string place = what + ", option " + std::to_string(i);
    const std::string named = what + ", option '" + name(place + ": its name", option.name) + "'";
    if (option.type < MIXOP_OPTION_BOOL || option.type > MIXOP_OPTION_LIST)
      refuse(named + " has type " + std::to_string(option.type) + "; expected 0 (bool) to 4 (list)");
    const std::string value = text(named + ": its default", option.default_value, kLongestText, true);
    text(named + ": its help", option.help, kLongestText);
    if (!option_value_fits(option.type, value))
      refuse(named + " has the default '" + excerpt(value) + "', which its type forbids");
    if (!names.insert(option.name).second) refuse(named + " is declared twice");
  }
  return copies;
}

// The host's copy of a plugin's table: only the bytes that the plugin's `size` covers are read.
template <class T>
T copy_table(const Reader& reader, const std::string& what, const void* table, std::size_t least) {
  std::uint32_t size = 0;
  std::memcpy(&size, table, sizeof size);
  reader.require_size(what, size, least);
  T copy{};
  std::memcpy(&copy, table, std::min<std::size_t>(size, sizeof copy));
  copy.size = sizeof copy;
  return copy;
}

// An extension of an operator: whole, with its function; NULL is none.
template <class T>
const T* read_extension(const Reader& reader, const std::string& what, const MixopOperator& op, const char* id) {
  const void* table = nullptr;
  try {
    table = op.get_extension == nullptr ? nullptr : op.get_extension(id);
  } catch (...) {
    reader.refuse(what + ": its get_extension(\"" + id + "\") threw an exception; expected a table or NULL");
  }
  if (table == nullptr) return nullptr;
  const auto* extension = static_cast<const T*>(table);
  reader.require_size(what + ": its extension " + id, extension->size, sizeof(T));
  return extension;
}

void check_extensions(const Reader& reader, const std::string& what, const MixopOperator& op, bool own_code) {
  const auto* structure = read_extension<MixopStructure>(reader, what, op, MIXOP_STRUCTURE_EXTENSION);
  const auto* cost = read_extension<MixopCostTable>(reader, what, op, MIXOP_COST_EXTENSION);
  const auto* backward = read_extension<MixopBackward>(reader, what, op, MIXOP_BACKWARD_EXTENSION);
  if (structure != nullptr) reader.require(what, "describe", structure->describe);
  if (cost != nullptr) reader.require(what, "cost", cost->cost);
  if (backward != nullptr) reader.require(what, "backward", backward->backward);
  if (!own_code && structure == nullptr)
    reader.refuse(what + " has neither code of its own nor a structure; expected 'create', 'destroy', 'forward', "
                         "'state_count' and 'state', or the extension " MIXOP_STRUCTURE_EXTENSION);
}

MixopOperator read_operator(const Reader& reader, const std::string& what, const void* table,
                            std::vector<MixopOptionSpec>& options) {
  auto copy = copy_table<MixopOperator>(reader, what, table, offsetof(MixopOperator, get_extension));
  if (copy.domain > MIXOP_DOMAIN_RECURRENT)
    reader.refuse(what + " has domain " + std::to_string(copy.domain) + "; expected 0 (image) or 1 (recurrent)");
  const bool own_code = copy.create != nullptr || copy.destroy != nullptr || copy.forward != nullptr ||
                        copy.state_count != nullptr || copy.state != nullptr;
  if (own_code) {
    reader.require(what, "create", copy.create);
    reader.require(what, "destroy", copy.destroy);
    reader.require(what, "forward", copy.forward);
    reader.require(what, "state_count", copy.state_count);
    reader.require(what, "state", copy.state);
  }
  check_extensions(reader, what, copy, own_code);
  options = reader.options(what, copy.options, copy.option_count);
  copy.options = options.data();
  for (const MixopOptionSpec& option : options)
    if (option.type == MIXOP_OPTION_LIST)
      reader.refuse(what + ", option '" + option.name +
                    "' is a list; an operator's options stand in its name, where a list has no place. Make it a text");
  return copy;
}

MixopDataset read_dataset(const Reader& reader, const std::string& what, const void* table,
                          std::vector<MixopOptionSpec>& options) {
  auto copy = copy_table<MixopDataset>(reader, what, table, offsetof(MixopDataset, decode));
  options = reader.options(what, copy.options, copy.option_count);
  copy.options = options.data();
  reader.text(what + ": 'expects'", copy.expects, kLongestText);
  reader.require(what, "open", copy.open);
  reader.require(what, "close", copy.close);
  reader.require(what, "info", copy.info);
  reader.require(what, "read", copy.read);
  return copy;
}

MixopFactory read_factory(const Reader& reader, const std::string& what, const void* table,
                          std::vector<MixopOptionSpec>& options) {
  auto copy = copy_table<MixopFactory>(reader, what, table, sizeof(MixopFactory));
  options = reader.options(what, copy.options, copy.option_count);
  copy.options = options.data();
  reader.require(what, "create", copy.create);
  reader.require(what, "destroy", copy.destroy);
  return copy;
}

std::map<std::string, std::string> read_option_values(const Reader& reader, const std::string& what,
                                                      const MixopStrategyPart& part) {
  if (part.option_count > kMostOptions)
    reader.refuse(what + " sets " + std::to_string(part.option_count) + " options; expected at most " +
                  std::to_string(kMostOptions));
  if (part.option_count > 0 && part.options == nullptr)
    reader.refuse(what + " sets " + std::to_string(part.option_count) + " options at NULL");
  std::map<std::string, std::string> values;
  for (std::uint32_t i = 0; i < part.option_count; ++i) {
    const std::string name = reader.name(what + ", option " + std::to_string(i) + ": its name", part.options[i].name);
    const std::string value =
        reader.text(what + ", option '" + name + "': its value", part.options[i].value, kLongestText, true);
    if (!values.emplace(name, value).second) reader.refuse(what + " sets option '" + name + "' twice");
  }
  return values;
}

/// The slot that a part of a strategy names, which must be of the table.
const StrategySlot& read_slot(const Reader& reader, const std::string& what, const char* name) {
  const std::string found = reader.name(what + ": its slot", name);
  if (slot_index(found) < strategy_slots.size()) return strategy_slots[slot_index(found)];
  std::vector<std::string> known;
  for (const StrategySlot& slot : strategy_slots) known.emplace_back(slot.name);
  reader.refuse(what + ": " + unknown_name("slot", found, known));
}

NamedStrategy read_strategy(const Reader& reader, const std::string& what, const void* table) {
  const auto copy = copy_table<MixopStrategy>(reader, what, table, sizeof(MixopStrategy));
  if (copy.part_count > strategy_slots.size())
    reader.refuse(what + " has " + std::to_string(copy.part_count) + " parts; expected at most one for each of " +
                  std::to_string(strategy_slots.size()) + " slots");
  if (copy.part_count > 0 && copy.parts == nullptr)
    reader.refuse(what + " has " + std::to_string(copy.part_count) + " parts at NULL");
  NamedStrategy strategy{{}, reader.text(what + ": 'summary'", copy.summary, kLongestText)};
  std::uint32_t index = 0;
  for (const MixopStrategyPart& part : reader.copy_array(what + ", part", copy.parts, copy.part_count)) {
    const std::string place = what + ", part " + std::to_string(index++);
    const std::string slot(read_slot(reader, place, part.slot).name);
    const std::string in_slot = what + ": its " + slot;
    if (!strategy.parts
             .emplace(slot, PartChoice{reader.part_name(in_slot, part.part), read_option_values(reader, in_slot, part)})
             .second)
      reader.refuse(what + " has two parts in the slot '" + slot + "'");
  }
  for (const StrategySlot& slot : strategy_slots) {
    const auto [own, absent] = strategy.parts.try_emplace(std::string(slot.name), PartChoice{std::string(slot.empty)});
    if (absent && slot.empty.empty())
      reader.refuse(what + " has no part in the slot '" + own->first + "', which cannot be empty; name the part that " +
                    std::string(slot.part_does));
  }
  return strategy;
}

Interface known_interface(const Reader& reader, const std::string& what, const std::string& id) {
  std::vector<std::string> known;
  for (const Interface& candidate : interfaces()) {
    if (id == candidate.id) return candidate;
    known.emplace_back(candidate.id);
  }
  reader.refuse(what + ": " + unknown_name("interface", id, known));
}

PluginComponent read_component(const Reader& reader, const MixopComponent& raw, std::uint32_t index,
                               const PluginFile& file) {
  const std::string place = "component " + std::to_string(index);
  PluginComponent component;
  component.name = reader.name(place + ": its name", raw.name);
  const std::string what = "component '" + component.name + "'";
  component.interface = reader.text(what + ": its interface", raw.interface, kLongestName);
  const Interface interface = known_interface(reader, what, component.interface);
  component.kind = raw.kind;
  if (raw.kind != interface.kind)
    reader.refuse(what + " has kind " + std::to_string(raw.kind) + "; its interface " + component.interface +
                  " is of kind " + std::to_string(interface.kind));
  if ((raw.kind & file.note.kinds) == 0)
    reader.refuse(what + " is of kind " + kind_names(raw.kind) + ", which the note does not name (it has: " +
                  kind_names(file.note.kinds) + "). Add the kind to KINDS of mixop_add_plugin()");
  if (interface.tensors && file.note.tier != MIXOP_TIER_NATIVE)
    reader.refuse(what + " is a C++ interface with tensors, which needs tier native; the note says tier " +
                  tier_text(file.note.tier));
  if (raw.table == nullptr) reader.refuse(what + ": its table is NULL");
  if (raw.summary != nullptr) component.summary = reader.text(what + ": its summary", raw.summary, kLongestText);
  component.group = component.interface;
  switch (interface.table) {
    case Table::op:
      component.table = read_operator(reader, what, raw.table, component.options);
      if (std::get<MixopOperator>(component.table).domain == MIXOP_DOMAIN_RECURRENT) component.group = kActivations;
      break;
    case Table::dataset:
      component.table = read_dataset(reader, what, raw.table, component.options);
      break;
    case Table::factory:
      component.table = read_factory(reader, what, raw.table, component.options);
      break;
    case Table::strategy:
      component.table = read_strategy(reader, what, raw.table);
      break;
  }
  return component;
}

std::vector<PluginComponent> read_components(const MixopPluginDescriptor& descriptor, const PluginFile& file) {
  const Reader reader(file, PluginCheck::components);
  if (descriptor.component_count == 0 || descriptor.component_count > kMostComponents)
    reader.refuse("declares " + std::to_string(descriptor.component_count) + " components; expected 1 to " +
                  std::to_string(kMostComponents));
  if (descriptor.components == nullptr)
    reader.refuse("declares " + std::to_string(descriptor.component_count) + " components at NULL");
  std::vector<PluginComponent> components;
  std::set<std::pair<std::string, std::string>> names;
  const auto raw = reader.copy_array("component", descriptor.components, descriptor.component_count,
                                     offsetof(MixopComponent, summary));
  for (std::uint32_t i = 0; i < raw.size(); ++i) {
    components.push_back(read_component(reader, raw[i], i, file));
    const PluginComponent& added = components.back();
    if (!names.emplace(added.group, added.name).second)
      reader.refuse("the " + noun_of(added.group) + " '" + added.name + "' is declared twice");
  }
  return components;
}

}  // namespace

PluginContents read_descriptor(const MixopPluginDescriptor* descriptor, const PluginFile& file) {
  const Reader reader(file, PluginCheck::descriptor);
  if (descriptor == nullptr) reader.refuse(MIXOP_PLUGIN_SYMBOL "() returned NULL; expected a descriptor");
  reader.require_size("the descriptor", descriptor->size, sizeof(MixopPluginDescriptor));
  if (descriptor->abi_major != file.note.abi_major || descriptor->abi_minor != file.note.abi_minor)
    reader.refuse("the descriptor names ABI " + std::to_string(descriptor->abi_major) + "." +
                  std::to_string(descriptor->abi_minor) + "; the note says " + std::to_string(file.note.abi_major) +
                  "." + std::to_string(file.note.abi_minor));
  PluginContents contents;
  contents.id = reader.name("the plugin's id", descriptor->id);
  contents.version = reader.name("the plugin's version", descriptor->version);
  contents.summary = reader.text("the plugin's summary", descriptor->summary, kLongestText);
  contents.init = descriptor->init;
  contents.components = read_components(*descriptor, file);
  return contents;
}

std::string kind_names(std::uint32_t kinds) {
  constexpr std::array<const char*, 4> kNames = {"operator", "space", "dataset", "strategy"};
  std::string text;
  for (std::size_t bit = 0; bit < kNames.size(); ++bit)
    if ((kinds >> bit & 1) != 0) text += (text.empty() ? "" : ", ") + std::string(kNames[bit]);
  return text;
}

std::string noun_of(const std::string& interface) {
  std::string noun = interface.substr(0, interface.find('/'));
  noun.erase(0, noun.find('.') + 1);
  std::replace(noun.begin(), noun.end(), '_', ' ');
  return noun;
}

}  // namespace mixop
