#include "host/onnx/onnx_graph.hpp"

namespace mixop {

std::string OnnxGraph::free_name(const std::string& name) {
  const int before = names_[name]++;
  return before == 0 ? name : free_name(name + "_" + std::to_string(before));
}

std::string OnnxGraph::tensor(const std::string& name, const FloatTensor& values) {
  onnx::TensorProto& made = *graph_.add_initializer();
  made.set_name(free_name(name));
  made.set_data_type(onnx::TensorProto::FLOAT);
  for (const std::int64_t size : values.shape) made.add_dims(size);
  made.set_raw_data(values.values.data(), values.values.size() * sizeof(float));
  return made.name();
}

std::string OnnxGraph::integers(const std::string& name, const std::vector<std::int64_t>& values) {
  onnx::TensorProto& made = *graph_.add_initializer();
  made.set_name(free_name(name));
  made.set_data_type(onnx::TensorProto::INT64);
  made.add_dims(static_cast<std::int64_t>(values.size()));
  made.set_raw_data(values.data(), values.size() * sizeof(std::int64_t));
  return made.name();
}

OnnxGraph::Node OnnxGraph::node(const char* type, const std::string& name, const std::vector<std::string>& inputs) {
  onnx::NodeProto& made = *graph_.add_node();
  made.set_op_type(type);
  made.set_name(free_name(name));
  for (const std::string& input : inputs) made.add_input(input);
  made.add_output(made.name());
  return made;
}

OnnxGraph::Node& OnnxGraph::Node::ints(const char* name, const std::vector<std::int64_t>& values) {
  onnx::AttributeProto& made = *node_.add_attribute();
  made.set_name(name);
  made.set_type(onnx::AttributeProto::INTS);
  for (const std::int64_t value : values) made.add_ints(value);
  return *this;
}

OnnxGraph::Node& OnnxGraph::Node::integer(const char* name, std::int64_t value) {
  onnx::AttributeProto& made = *node_.add_attribute();
  made.set_name(name);
  made.set_type(onnx::AttributeProto::INT);
  made.set_i(value);
  return *this;
}

OnnxGraph::Node& OnnxGraph::Node::real(const char* name, double value) {
  onnx::AttributeProto& made = *node_.add_attribute();
  made.set_name(name);
  made.set_type(onnx::AttributeProto::FLOAT);
  made.set_f(static_cast<float>(value));
  return *this;
}

void OnnxGraph::last_node(const char* type, const std::string& output, const std::vector<std::string>& inputs) {
  onnx::NodeProto& made = *graph_.add_node();
  made.set_op_type(type);
  made.set_name(output);
  for (const std::string& input : inputs) made.add_input(input);
  made.add_output(output);
}

void OnnxGraph::declare(onnx::ValueInfoProto& value, const std::string& name, const std::vector<std::int64_t>& sizes,
                        onnx::TensorProto::DataType type) {
  value.set_name(name);
  auto& tensor = *value.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(type);
  tensor.mutable_shape()->add_dim()->set_dim_param("N");
  for (const std::int64_t size : sizes) tensor.mutable_shape()->add_dim()->set_dim_value(size);
}

}  // namespace mixop
