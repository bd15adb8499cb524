#include "host/task/training_data.hpp"

namespace mixop {

const char* records_name(Records records) {
  constexpr const char* kNames[] = {"train", "valid", "test"};
  return kNames[static_cast<std::size_t>(records)];
}

}  // namespace mixop
