#include "readers/onnx/node.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cstring>

#include "bitplan/error.h"

namespace bitplan::network {

using torch::jit::Value;

namespace {

constexpr std::int64_t kMostIntegers = 64;

template <typename T>
const T* AttributeOf(const onnx::Node& node, const std::string& name) {
  const auto found = node.attributes.find(name);
  if (found == node.attributes.end()) return nullptr;
  const T* const value = std::get_if<T>(&found->second);
  if (!value) throw Error(fmt::format("its attribute '{}' is of another type than the operator has", name));
  return value;
}

/// Integers of a constant of one axis or none.
std::optional<std::vector<Value*>> ConstantIntegersOf(Value* tensor, OnnxBuilder& builder) {
  const auto constant = builder.ConstantOf(tensor);
  if (!constant || !constant->isTensor()) return std::nullopt;
  const at::Tensor& numbers = constant->toTensor();
  if (numbers.dim() > 1 || numbers.numel() > kMostIntegers || !at::isIntegralType(numbers.scalar_type(), false))
    return std::nullopt;
  std::vector<Value*> integers;
  for (std::int64_t i = 0; i < numbers.numel(); ++i)
    integers.push_back(builder.Constant(numbers.flatten()[i].item().toLong()));
  return integers;
}

}  // namespace

Value* TensorOf(const OnnxValue& value, OnnxBuilder& builder) {
  if (value.tensor) return value.tensor;
  Value* const data = value.is_scalar ? value.integers->front() : builder.Integers(*value.integers);
  return builder.Call("aten::tensor", {data}, {{"dtype", at::kLong}, {"device", builder.device()}});
}

std::optional<std::vector<Value*>> IntegersOf(const OnnxValue& value, OnnxBuilder& builder) {
  if (value.integers) return value.integers;
  return value.tensor ? ConstantIntegersOf(value.tensor, builder) : std::nullopt;
}

const OnnxValue& OnnxNode::input(std::size_t index) const {
  if (!Has(index)) Refuse(fmt::format("its input {} is missing", index));
  return inputs_[index];
}

Value* OnnxNode::Input(std::size_t index) const { return TensorOf(input(index), builder_); }

Value* OnnxNode::InputOrNone(std::size_t index) const {
  return Has(index) ? Input(index) : builder_.Constant(c10::IValue());
}

at::Tensor OnnxNode::Constant(std::size_t index) const {
  const auto known = builder_.KnownTensor(Input(index));
  if (!known) Refuse(fmt::format("its input {} is computed in each run; only a constant is read there", index));
  return known->cpu();
}

std::vector<std::int64_t> OnnxNode::ConstantIntegers(std::size_t index) const {
  const at::Tensor numbers = Constant(index).to(at::kLong).contiguous().flatten();
  return {numbers.const_data_ptr<std::int64_t>(), numbers.const_data_ptr<std::int64_t>() + numbers.numel()};
}

double OnnxNode::ConstantNumber(std::size_t index) const {
  const at::Tensor number = Constant(index);
  if (number.numel() != 1) Refuse(fmt::format("its input {} is not one number", index));
  return number.item().toDouble();
}

std::optional<std::vector<Value*>> OnnxNode::KnownIntegers(std::size_t index) const {
  return Has(index) ? IntegersOf(inputs_[index], builder_) : std::nullopt;
}

Value* OnnxNode::Integer(std::size_t index) const {
  const std::vector<Value*> all = Integers(index);
  if (all.size() != 1) Refuse(fmt::format("its input {} has {} numbers and not one", index, all.size()));
  return all.front();
}

std::vector<Value*> OnnxNode::Integers(std::size_t index) const {
  if (const auto known = KnownIntegers(index)) return *known;
  Value* const tensor = Input(index);
  if (builder_.Rank(tensor) == 0) return {builder_.Call("aten::Int", {tensor})};
  const auto count = builder_.FixedSize(tensor, 0);
  if (!count || *count > kMostIntegers) Refuse(fmt::format("how many numbers its input {} has is not known", index));
  std::vector<Value*> integers;
  for (std::int64_t i = 0; i < *count; ++i)
    integers.push_back(builder_.Call("aten::Int", {builder_.Call("aten::select", {tensor, 0, i})}));
  return integers;
}

std::int64_t OnnxNode::Int(const std::string& name, std::int64_t otherwise) const {
  const auto* const value = AttributeOf<std::int64_t>(node_, name);
  return value ? *value : otherwise;
}

double OnnxNode::Number(const std::string& name, double otherwise) const {
  const auto* const value = AttributeOf<float>(node_, name);
  return value ? static_cast<double>(*value) : otherwise;
}

std::string OnnxNode::Text(const std::string& name, const std::string& otherwise) const {
  const auto* const value = AttributeOf<std::string>(node_, name);
  return value ? *value : otherwise;
}

std::vector<std::int64_t> OnnxNode::Ints(const std::string& name, const std::vector<std::int64_t>& otherwise) const {
  const auto* const value = AttributeOf<std::vector<std::int64_t>>(node_, name);
  return value ? *value : otherwise;
}

std::vector<double> OnnxNode::Numbers(const std::string& name) const {
  const auto* const value = AttributeOf<std::vector<float>>(node_, name);
  return value ? std::vector<double>(value->begin(), value->end()) : std::vector<double>();
}

std::optional<std::vector<std::int64_t>> OnnxNode::Axes(std::size_t input) const {
  if (HasAttribute("axes")) return Ints("axes");
  if (Has(input)) return ConstantIntegers(input);
  return std::nullopt;
}

const onnx::Graph& OnnxNode::Body(const std::string& attribute) const {
  const auto* const graph = AttributeOf<std::shared_ptr<const onnx::Graph>>(node_, attribute);
  if (!graph) Refuse(fmt::format("its graph '{}' is missing", attribute));
  return **graph;
}

void OnnxNode::Refuse(const std::string& reason) const { throw Error(reason); }

at::ScalarType OnnxType(onnx::ElementType type) {
  using enum onnx::ElementType;
  switch (type) {
    case Float:
    case Float16:
    case Bfloat16:
      return at::kFloat;  // the network computes in float32
    case Double:
      return at::kDouble;
    case Uint8:
      return at::kByte;
    case Int8:
      return at::kChar;
    case Int16:
      return at::kShort;
    case Int32:
      return at::kInt;
    case Int64:
      return at::kLong;
    case Bool:
      return at::kBool;
    default:
      throw Error(fmt::format("tensors of type {} are not read", onnx::NameOf(type)));
  }
}

at::Tensor OnnxTensor(const onnx::Tensor& tensor) {
  const at::ScalarType stored = tensor.type == onnx::ElementType::Float16    ? at::kHalf
                                : tensor.type == onnx::ElementType::Bfloat16 ? at::kBFloat16
                                                                             : OnnxType(tensor.type);
  const at::Tensor values = at::empty(tensor.shape, stored);
  if (values.nbytes() != tensor.bytes.size())
    throw Error(fmt::format("tensor '{}' has {} bytes and not {}", tensor.name, tensor.bytes.size(), values.nbytes()));
  if (!tensor.bytes.empty()) std::memcpy(values.mutable_data_ptr(), tensor.bytes.data(), tensor.bytes.size());
  return values.to(OnnxType(tensor.type));
}

const OnnxOperators& AllOnnxOperators() {
  static const OnnxOperators operators = [] {
    OnnxOperators all;
    AddConvolutions(all);
    AddPools(all);
    AddProducts(all);
    AddNormalizations(all);
    AddActivations(all);
    AddElementwise(all);
    AddReductions(all);
    AddShapes(all);
    AddIndexing(all);
    AddPadding(all);
    AddRecurrent(all);
    AddAttention(all);
    AddLinearAttention(all);
    AddLosses(all);
    AddResizing(all);
    AddSelections(all);
    AddSignals(all);
    AddImages(all);
    return all;
  }();
  return operators;
}

}  // namespace bitplan::network
