#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "host/onnx/onnx.pb.h"
#include "mixop/structure.hpp"

namespace mixop {

/// A network's tensor in float32, row-major.
struct FloatTensor {
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};

/// Puts nodes and tensors into an ONNX graph; values go by their names, which it makes.
class OnnxGraph {
 public:
  /// `taken` are names that others give.
  OnnxGraph(onnx::GraphProto& graph, const std::vector<std::string>& taken) : graph_(graph) {
    for (const std::string& name : taken) names_[name] = 1;
  }

  /// A tensor that the file holds, under `name` or, where that has one already, another.
  std::string tensor(const std::string& name, const FloatTensor& values);
  std::string integers(const std::string& name, const std::vector<std::int64_t>& values);

  /// A node of a type of ONNX, and its one output.
  class Node {
   public:
    Node(onnx::NodeProto& node) : node_(node) {}
    Node& ints(const char* name, const std::vector<std::int64_t>& values);
    Node& integer(const char* name, std::int64_t value);
    Node& real(const char* name, double value);
    std::string output() const { return node_.output(0); }

   private:
    onnx::NodeProto& node_;
  };
  Node node(const char* type, const std::string& name, const std::vector<std::string>& inputs);

  /// A node whose output is one of the names that others give.
  void last_node(const char* type, const std::string& output, const std::vector<std::string>& inputs);

  /// An input or output [N, sizes...].
  static void declare(onnx::ValueInfoProto& value, const std::string& name, const std::vector<std::int64_t>& sizes,
                      onnx::TensorProto::DataType type = onnx::TensorProto::FLOAT);

 private:
  std::string free_name(const std::string& name);

  onnx::GraphProto& graph_;
  std::map<std::string, int> names_;
};

}  // namespace mixop
