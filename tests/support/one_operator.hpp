#pragma once

#include <cstring>
#include <string>
#include <utility>

#include "host/graph/operators.hpp"
#include "mixop/structure_operator.hpp"

namespace mixop::test {

/// A catalogue of one operator, which is a given structure whatever its spec. One at a time.
class OneOperator final : public OperatorCatalog {
 public:
  OneOperator(std::string name, Structure structure) : name_(std::move(name)) {
    given() = std::move(structure);
    table_.size = sizeof table_;
    table_.get_extension = [](const char* id) -> const void* {
      return std::strcmp(id, MIXOP_STRUCTURE_EXTENSION) == 0 ? &structure_table<[](const OpSpec&) { return given(); }>()
                                                             : nullptr;
    };
  }
  const MixopOperator& find_operator(const std::string& name, Domain) const override {
    if (name != name_) throw Error(ErrorCode::usage, "unknown operator '" + name + "'");
    return table_;
  }

 private:
  static Structure& given() {
    static Structure structure;
    return structure;
  }
  std::string name_;
  MixopOperator table_{};
};

}  // namespace mixop::test
