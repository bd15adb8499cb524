#include "host/search/memory_limit.hpp"

#include "host/loop/device.hpp"
#include "host/search/stored_check.hpp"

namespace mixop {
namespace {

std::string mib(std::int64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

std::int64_t stored_weights(const Archive& archive) {
  std::int64_t sum = 0;
  for (const std::string& name : archive.children("/weights")) {
    std::int64_t elements = 1;
    for (const std::uint64_t size : archive.array(archive_path("/weights", name)).shape)
      elements *= static_cast<std::int64_t>(size);
    sum += elements;
  }
  return sum;
}

}  // namespace

void require_memory(const Footprint& need, const std::string& keys, const MemoryRoom& room) {
  if (need.total() <= room.bytes) return;
  throw Error(ErrorCode::usage, "the run takes at least " + mib(need.total()) + " of memory (" + mib(need.weights) +
                                    " for the weights and what has their size, " + mib(need.activations) +
                                    " for the activations of a step), and this process may take " + mib(room.bytes) +
                                    " more (" + room.source + "); lower " + keys);
}

void require_memory(const MeasuredNetwork& network, const Config& config, const Task& task, std::int64_t batch) {
  if (!device_of(config.device).is_cpu()) return;
  StepSizes sizes;
  sizes.samples = task.samples_of_step(batch, config.data.bptt);
  sizes.weight_bytes = config.precision == "float64" ? 8 : 4;
  sizes.activation_bytes = config.precision == "bfloat16" ? 2 : sizes.weight_bytes;
  std::string keys = task.size_keys(config.space);
  if (batch > 0) {
    sizes.weight_copies = config.weights.momentum != 0 ? 3 : 2;  // weights, gradients, momenta
    keys += " or " + std::string(run_kind_name(config.kind)) + ".batch (" + std::to_string(batch) + ")";
  }
  require_memory(footprint(network, sizes), keys);
}

void require_stored(const Archive& archive, std::int64_t parameters) {
  const std::int64_t stored = stored_weights(archive);
  if (parameters > stored)
    refuse(archive, stored::resolved_config,
           "means a network of " + std::to_string(parameters) + " parameters, and " + std::to_string(stored) +
               " are stored beside it");
}

}  // namespace mixop
