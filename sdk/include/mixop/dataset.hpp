#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <string>

#include "mixop/abi/dataset.h"
#include "mixop/abi/plugin.h"
#include "mixop/error.hpp"
#include "mixop/options.hpp"

namespace mixop {

/// What a data set's author derives from. Needs no LibTorch. Construct it as `Derived(folder, options)`, which opens
/// the data and throws mixop::Error where it cannot. `Derived::expects` (a static const char[]) says which layouts it
/// reads; `Derived::options` may be a static array of MixopOptionSpec.
class Dataset {
 public:
  /// Takes an image, uint8[height][width][channels], for the call alone.
  using Sink = std::function<void(std::int32_t height, std::int32_t width, const std::uint8_t* pixels)>;

  virtual ~Dataset() = default;
  /// Pointers inside what it returns live as long as this object.
  virtual MixopDatasetInfo info() const = 0;
  /// Records [first, first + count) of `split`; the range has been checked. Thread-safe.
  virtual void read(int split, std::int64_t first, std::int64_t count, std::uint8_t* values,
                    std::int64_t* targets) const = 0;
  /// Calls `sink` once with the image of a record, which has been checked: for images of many sizes. Thread-safe.
  virtual void decode(int, std::int64_t, const Sink&) const {
    throw Error(ErrorCode::unsupported, "all images of this data set have one size; they are read, not decoded");
  }

 protected:
  Dataset() = default;
};

namespace detail {

inline void require_range(const Dataset& data, int split, std::int64_t first, std::int64_t count) {
  const std::int64_t records = split >= 0 && split < MIXOP_SPLIT_COUNT ? data.info().records[split] : 0;
  if (first < 0 || count < 0 || first > records || count > records - first)
    throw Error(ErrorCode::usage, "records " + std::to_string(first) + " to " + std::to_string(first + count) +
                                      " of a split of " + std::to_string(records));
}

}  // namespace detail

/// The component of a data set class; `summary` is what lists say of it, one sentence.
template <class Derived>
MixopComponent dataset(const char* name, const char* summary = nullptr) {
  static const MixopDataset table = [] {
    MixopDataset t{};
    t.size = sizeof t;
    if constexpr (requires { Derived::options; }) {
      t.options = Derived::options;
      t.option_count = static_cast<std::uint32_t>(sizeof Derived::options / sizeof *Derived::options);
    }
    t.expects = Derived::expects;
    t.open = [](const MixopDatasetSource* source, MixopDatasetInstance** instance, MixopError* error) {
      return guarded(error, [&] {
        std::unique_ptr<Dataset> made =
            std::make_unique<Derived>(std::string(source->folder), Options(source->options, source->option_count));
        *instance = reinterpret_cast<MixopDatasetInstance*>(made.release());
      });
    };
    t.close = [](MixopDatasetInstance* instance) { delete reinterpret_cast<Dataset*>(instance); };
    t.info = [](MixopDatasetInstance* instance, MixopDatasetInfo* info, MixopError* error) {
      return guarded(error, [&] {
        MixopDatasetInfo full = reinterpret_cast<Dataset*>(instance)->info();
        full.size = std::min<std::uint32_t>(info->size, sizeof full);
        std::memcpy(info, &full, full.size);
      });
    };
    t.read = [](MixopDatasetInstance* instance, std::int32_t split, std::int64_t first, std::int64_t count,
                std::uint8_t* values, std::int64_t* targets, MixopError* error) {
      return guarded(error, [&] {
        const auto& data = *reinterpret_cast<Dataset*>(instance);
        detail::require_range(data, split, first, count);
        data.read(split, first, count, values, targets);
      });
    };
    t.decode = [](MixopDatasetInstance* instance, std::int32_t split, std::int64_t record, MixopImageSink sink,
                  void* context, MixopError* error) {
      return guarded(error, [&] {
        const auto& data = *reinterpret_cast<Dataset*>(instance);
        detail::require_range(data, split, record, 1);
        data.decode(split, record, [&](std::int32_t height, std::int32_t width, const std::uint8_t* pixels) {
          sink(context, height, width, pixels);
        });
      });
    };
    return t;
  }();
  return {sizeof(MixopComponent), MIXOP_KIND_DATASET, name, MIXOP_DATASET_INTERFACE, &table, summary};
}

}  // namespace mixop
