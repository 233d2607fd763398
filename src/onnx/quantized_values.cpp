#include "onnx/quantized_values.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace bitplan::onnx {
namespace {

std::string AddFloats(ModelEditor& editor, const std::string& name, std::vector<std::int64_t> shape,
                      const std::vector<float>& values) {
  const NewTensor tensor{editor.NewName(name), ElementType::Float, std::move(shape), BytesOf(values)};
  editor.Add(tensor);
  return tensor.name;
}

std::string AddNumber(ModelEditor& editor, const std::string& name, float value) {
  return AddFloats(editor, name, {}, {value});
}

std::vector<std::int64_t> ScaleShape(const CodedTensor& tensor) {
  const auto axis = static_cast<std::size_t>(tensor.axis);
  if (tensor.block_size > 0) {
    std::vector<std::int64_t> shape = tensor.shape;
    shape[axis] = (shape[axis] + tensor.block_size - 1) / tensor.block_size;
    return shape;
  }
  if (tensor.scales.size() == 1 && tensor.shape.empty()) return {};
  return tensor.scales.size() == 1 ? std::vector<std::int64_t>{} : std::vector<std::int64_t>{tensor.shape[axis]};
}

/// `value` in another type, where it is not that.
std::string AddCast(ModelEditor& editor, const std::string& beside, const std::string& value, const std::string& name,
                    ElementType from, ElementType to) {
  if (from == to) return value;
  const NewNode cast{
      "Cast", {value}, {editor.NewName(name + "_as_" + NameOf(to))}, {{"to", static_cast<std::int64_t>(to)}}};
  editor.AddFirst(beside, cast);
  return cast.outputs[0];
}

std::vector<std::byte> ZeroPointOf(ElementType type, std::int64_t zero_point) {
  std::vector<std::byte> bytes(BytesOf(type));
  std::memcpy(bytes.data(), &zero_point, bytes.size());  // little-endian
  return bytes;
}

}  // namespace

std::vector<std::byte> BytesOf(const std::vector<float>& values) {
  std::vector<std::byte> bytes(values.size() * sizeof(float));
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

std::int64_t OpsetOf(ElementType type) {
  using enum ElementType;
  switch (type) {
    case Int2:
    case Uint2:
      return 25;
    case Int4:
    case Uint4:
    case Int16:
    case Uint16:
      return 21;
    case Float8E4M3FN:
    case Float8E5M2:
      return 19;
    default:
      return 13;
  }
}

std::int64_t OpsetOf(const CodedTensor& tensor) {
  return std::max(OpsetOf(tensor.type), std::int64_t{tensor.block_size > 0 ? 21 : 13});
}

std::string AddValues(ModelEditor& editor, const std::string& beside, const CodedTensor& tensor, ElementType as) {
  const NewTensor codes{editor.NewName(tensor.name + "_quantized"), tensor.type, tensor.shape, tensor.codes};
  editor.Add(codes);
  const std::vector<std::int64_t> shape = ScaleShape(tensor);
  NewNode node{"DequantizeLinear", {codes.name, AddFloats(editor, tensor.name + "_scale", shape, tensor.scales)}, {}};
  if (!tensor.zero_points.empty()) {
    const NewTensor zero_points{editor.NewName(tensor.name + "_zero_point"), tensor.type, shape, tensor.zero_points};
    editor.Add(zero_points);
    node.inputs.push_back(zero_points.name);
  }
  if (!shape.empty()) node.attributes["axis"] = tensor.axis;
  if (tensor.block_size > 0) node.attributes["block_size"] = tensor.block_size;
  node.outputs = {editor.NewName(tensor.name + "_dequantized")};
  editor.AddFirst(beside, node);
  if (tensor.result.empty()) return AddCast(editor, beside, node.outputs[0], tensor.name, ElementType::Float, as);
  NewTensor sizes{editor.NewName(tensor.name + "_shape"),
                  ElementType::Int64,
                  {static_cast<std::int64_t>(tensor.result.size())},
                  std::vector<std::byte>(tensor.result.size() * sizeof(std::int64_t))};
  std::memcpy(sizes.bytes.data(), tensor.result.data(), sizes.bytes.size());
  editor.Add(sizes);
  const NewNode reshape{"Reshape", {node.outputs[0], sizes.name}, {editor.NewName(tensor.name + "_reshaped")}};
  editor.AddFirst(beside, reshape);
  return AddCast(editor, beside, reshape.outputs[0], tensor.name, ElementType::Float, as);
}

std::string AddValues(ModelEditor& editor, const std::string& beside, const NewTensor& tensor, ElementType as) {
  NewTensor own = tensor;
  own.name = editor.NewName(tensor.name + "_planned");
  editor.Add(own);
  return AddCast(editor, beside, own.name, tensor.name, own.type, as);
}

std::string AddGrid(ModelEditor& editor, const std::vector<std::string>& readers, const std::string& value,
                    const ActivationGrid& grid) {
  std::string current = value;
  const auto add = [&](const char* op, const std::string& suffix, std::vector<std::string> others,
                       std::map<std::string, AttributeValue> attributes = {}) {
    others.insert(others.begin(), current);
    const NewNode node{op, std::move(others), {editor.NewName(value + suffix)}, std::move(attributes)};
    editor.AddBefore(readers, node);
    current = node.outputs[0];
  };
  const auto cast = [&](ElementType to, const std::string& suffix) {
    add("Cast", suffix, {}, {{"to", static_cast<std::int64_t>(to)}});
  };
  if (grid.value_type != ElementType::Float) cast(ElementType::Float, "_float");
  if (grid.offset != 0) add("Sub", "_less_offset", {AddNumber(editor, value + "_offset", grid.offset)});
  if (grid.type == ElementType::Float16 || grid.type == ElementType::Bfloat16) {
    cast(grid.type, "_half");
    cast(grid.value_type, "_rounded");
    return current;
  }
  if (grid.range)
    add("Clip", "_clipped",
        {AddNumber(editor, value + "_least", grid.range->first),
         AddNumber(editor, value + "_largest", grid.range->second)});
  const std::string scale = AddNumber(editor, value + "_scale", grid.scale);
  const NewTensor zero{editor.NewName(value + "_zero_point"), grid.type, {}, ZeroPointOf(grid.type, grid.zero_point)};
  editor.Add(zero);
  add("QuantizeLinear", "_quantized", {scale, zero.name});
  add("DequantizeLinear", "_dequantized", {scale, zero.name});
  if (grid.value_type != ElementType::Float) cast(grid.value_type, "_as_it_was");
  return current;
}

}  // namespace bitplan::onnx
