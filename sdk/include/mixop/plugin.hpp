#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

#include "mixop/abi/factory.h"
#include "mixop/abi/plugin.h"
#include "mixop/build_flags.h"
#include "mixop/error.hpp"
#include "mixop/native_revision.h"
#include "mixop/options.hpp"
#include "mixop/slots.hpp"

// mixop_add_plugin() passes MIXOP_PLUGIN_KINDS, MIXOP_PLUGIN_TIER, MIXOP_PLUGIN_LIBTORCH and MIXOP_PLUGIN_CUDA.
#ifndef MIXOP_PLUGIN_KINDS
#error "build plugins with mixop_add_plugin(), which says what the ELF note must hold"
#endif

namespace mixop {

class SearchSpace;

namespace detail {

/// A component of kind `kind` behind a C++ interface. Only what knows which interface an id means may call it. `Component` is constructible from `const Options&` and derives
/// from `Base`, as whose pointer it is handed over. `Component::options` may be a static array of MixopOptionSpec.
template <class Component, class Base>
MixopComponent native_component(std::uint32_t kind, const char* interface_id, const char* name,
                                const char* summary = nullptr) {
  static_assert(std::is_base_of_v<Base, Component>, "a component derives from the interface that it is registered for");
  static_assert(!std::is_abstract_v<Component>, "a component defines every pure function of its interface");
  static_assert(std::is_constructible_v<Component, const Options&>, "a component is constructible from const Options&");
  static const MixopFactory factory = [] {
    MixopFactory table{};
    table.size = sizeof table;
    if constexpr (requires { Component::options; }) {
      table.options = Component::options;
      table.option_count = static_cast<std::uint32_t>(sizeof Component::options / sizeof *Component::options);
    }
    table.create = [](const MixopOptionValue* values, std::uint32_t count, void** object, MixopError* error) {
      return guarded(error, [&] { *object = static_cast<Base*>(new Component(Options(values, count))); });
    };
    table.destroy = [](void* object) { delete static_cast<Base*>(object); };
    return table;
  }();
  return {sizeof(MixopComponent), kind, name, interface_id, &factory, summary};
}

}  // namespace detail

/// A search space; `Space` derives from mixop::SearchSpace.
template <class Space>
MixopComponent space(const char* name) {
  constexpr bool known = std::is_base_of_v<SearchSpace, Space>;
  static_assert(known, "a space derives from mixop::SearchSpace");
  if constexpr (known) return detail::native_component<Space, SearchSpace>(MIXOP_KIND_SPACE, Space::interface_id, name);
}

/// A part of a strategy; `Part` derives from one of the interfaces of mixop/strategy.hpp, which names its slot. `summary` is
/// what lists say of it, one sentence.
template <class Part>
MixopComponent strategy_part(const char* name, const char* summary = nullptr) {
  constexpr bool known = [] {
    if constexpr (requires { typename Part::Interface; }) return StrategyInterfaces::have<typename Part::Interface>;
    return false;
  }();
  static_assert(known, "a part derives from an interface of mixop/strategy.hpp, such as mixop::Stopper");
  if constexpr (known) {
    static_assert(std::is_base_of_v<typename Part::Interface, Part>, "a part derives from the interface that it names");
    return detail::native_component<Part, StrategyPart>(MIXOP_KIND_STRATEGY, Part::Interface::slot.interface_id, name,
                                                          summary);
  }
}

/// A part of a named strategy: strategy_slot("relaxation", "softmax").
constexpr MixopStrategyPart strategy_slot(const char* slot, const char* part) {
  return {sizeof(MixopStrategyPart), 0, slot, part, nullptr};
}

/// With option values of the strategy's own; the array must live as long as the library.
template <std::size_t N>
constexpr MixopStrategyPart strategy_slot(const char* slot, const char* part, const MixopOptionValue (&options)[N]) {
  return {sizeof(MixopStrategyPart), static_cast<std::uint32_t>(N), slot, part, options};
}

/// The table of a named strategy; the array must live as long as the library.
template <std::size_t N>
constexpr MixopStrategy strategy_table(const MixopStrategyPart (&parts)[N], const char* summary) {
  return {sizeof(MixopStrategy), static_cast<std::uint32_t>(N), parts, summary};
}

/// A named composition of parts; `table` must live as long as the library.
inline MixopComponent strategy(const char* name, const MixopStrategy& table) {
  return {sizeof(MixopComponent), MIXOP_KIND_STRATEGY, name, MIXOP_STRATEGY_INTERFACE, &table, nullptr};
}

}  // namespace mixop

/// Defines a plugin: its ELF note and the one exported symbol. Use once, at namespace scope:
///   MIXOP_PLUGIN("acme.ghost", "1.0.0", "Ghost convolutions (Han et al. 2020).",
///   mixop::module_operator<Ghost>("acme.ghost_conv"))
#define MIXOP_PLUGIN(ID, VERSION, SUMMARY, ...)                                                                 \
  extern "C" {                                                                                                  \
  [[gnu::section(MIXOP_NOTE_SECTION), gnu::used, gnu::aligned(4)]] static const MixopNote mixop_plugin_note = { \
      6,                                                                                                        \
      44,                                                                                                       \
      MIXOP_NOTE_TYPE,                                                                                          \
      MIXOP_NOTE_NAME,                                                                                          \
      MIXOP_ABI_MAJOR,                                                                                          \
      MIXOP_ABI_MINOR,                                                                                          \
      MIXOP_PLUGIN_KINDS,                                                                                       \
      MIXOP_PLUGIN_TIER,                                                                                        \
      MIXOP_BUILD_FLAGS | (MIXOP_PLUGIN_CUDA != 0 ? MIXOP_FLAG_CUDA : 0),                                       \
      MIXOP_PLUGIN_LIBTORCH,                                                                                    \
      MIXOP_PLUGIN_CUDA,                                                                                        \
      MIXOP_NATIVE_REVISION_OF(MIXOP_PLUGIN_KINDS, MIXOP_PLUGIN_TIER),                                          \
      {0, 0, 0, 0}};                                                                                            \
  [[gnu::visibility("default")]] const MixopPluginDescriptor* mixop_plugin_v1(void) {                           \
    static const MixopComponent components[] = {__VA_ARGS__};                                                   \
    static const MixopPluginDescriptor descriptor = {sizeof(MixopPluginDescriptor),                             \
                                                     MIXOP_ABI_MAJOR,                                           \
                                                     MIXOP_ABI_MINOR,                                           \
                                                     ID,                                                        \
                                                     VERSION,                                                   \
                                                     SUMMARY,                                                   \
                                                     sizeof components / sizeof *components,                    \
                                                     0,                                                         \
                                                     components,                                                \
                                                     nullptr};                                                  \
    return &descriptor;                                                                                         \
  }                                                                                                             \
  }                                                                                                             \
  static_assert(sizeof(MixopNote) == 64, "the note is 64 bytes")
