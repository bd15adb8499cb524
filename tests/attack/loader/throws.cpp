// Plugins of the zoo whose C functions let a C++ exception out; ZOO_THROWS says which.
#include <stdexcept>

#include "mixop/abi/factory.h"
#include "tests/attack/loader/zoo.h"

namespace {

enum Place { entry = 1, init = 2, factory = 3, nothing = 4 };

ZOO_NOTE(note);

__attribute__((constructor)) void run_code() { leave_trace(); }

void throw_at(Place place) {
  if (ZOO_THROWS == place) throw std::runtime_error("out of patience");
}

MixopStatus create(const MixopOptionValue*, std::uint32_t, void** object, MixopError*) {
  throw_at(factory);
  *object = ZOO_THROWS == nothing ? nullptr : object;
  return MIXOP_OK;
}

const MixopFactory table = {sizeof(MixopFactory), 0, nullptr, create, [](void*) {}};

const MixopComponent component = {sizeof(MixopComponent), MIXOP_KIND_STRATEGY, ZOO_ID, "mixop.stopper/1", &table};

MixopStatus prepare(const MixopHost*, MixopError*) {
  throw_at(init);
  return MIXOP_OK;
}

const MixopPluginDescriptor descriptor = {sizeof(MixopPluginDescriptor),
                                          MIXOP_ABI_MAJOR,
                                          MIXOP_ABI_MINOR,
                                          ZOO_ID,
                                          "1.0.0",
                                          "A stopper.",
                                          1,
                                          0,
                                          &component,
                                          prepare};

}  // namespace

extern "C" [[gnu::visibility("default")]] const MixopPluginDescriptor* mixop_plugin_v1() {
  throw_at(entry);
  return &descriptor;
}
