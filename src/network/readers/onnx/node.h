#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "onnx/model.h"
#include "readers/onnx/builder.h"

namespace bitplan::network {

/// What a name of an ONNX graph stands for: a tensor or, where sizes alone make it, integers, of which a tensor is made
/// when an operator reads one.
struct OnnxValue {
  torch::jit::Value* tensor = nullptr;
  std::optional<std::vector<torch::jit::Value*>> integers;  ///< an int64 tensor of one axis or, with is_scalar, of none
  bool is_scalar = false;
  bool is_cut = false;  ///< made behind an operator that the network ends before

  OnnxValue() = default;
  OnnxValue(torch::jit::Value* value) : tensor(value) {}  // NOLINT: what operators return
  static OnnxValue OfIntegers(std::vector<torch::jit::Value*> integers, bool is_scalar = false) {
    OnnxValue value;
    value.integers = std::move(integers);
    value.is_scalar = is_scalar;
    return value;
  }
  bool given() const { return tensor || integers || is_cut; }
};

/// A node with what it reads.
class OnnxNode {
 public:
  using Value = torch::jit::Value;

  /// Outlived by the node and the builder.
  OnnxNode(const onnx::Node& node, OnnxBuilder& builder, std::vector<OnnxValue> inputs)
      : node_(node), builder_(builder), inputs_(std::move(inputs)) {}

  OnnxBuilder& builder() const { return builder_; }
  const onnx::Node& node() const { return node_; }
  std::int64_t opset() const { return node_.opset; }
  std::size_t inputs() const { return inputs_.size(); }
  std::size_t outputs() const { return node_.outputs.size(); }
  bool HasOutput(std::size_t index) const { return index < node_.outputs.size() && !node_.outputs[index].empty(); }
  bool Has(std::size_t index) const { return index < inputs_.size() && inputs_[index].given(); }
  /// An input, which must be given.
  const OnnxValue& input(std::size_t index) const;

  /// The tensor of an input, which must be given.
  Value* Input(std::size_t index) const;
  /// None where it is left out.
  Value* InputOrNone(std::size_t index) const;
  /// What a constant input is; refuses one that is not.
  at::Tensor Constant(std::size_t index) const;
  std::vector<std::int64_t> ConstantIntegers(std::size_t index) const;
  double ConstantNumber(std::size_t index) const;
  /// Integers of an input of one axis, constant, of sizes, or taken from the tensor of a run.
  std::vector<Value*> Integers(std::size_t index) const;
  /// The one integer that an input has.
  Value* Integer(std::size_t index) const;
  /// The same as Integers where they are constant or of sizes alone.
  std::optional<std::vector<Value*>> KnownIntegers(std::size_t index) const;

  bool HasAttribute(const std::string& name) const { return node_.attributes.contains(name); }
  std::int64_t Int(const std::string& name, std::int64_t otherwise) const;
  double Number(const std::string& name, double otherwise) const;
  std::string Text(const std::string& name, const std::string& otherwise) const;
  std::vector<std::int64_t> Ints(const std::string& name, const std::vector<std::int64_t>& otherwise = {}) const;
  std::vector<double> Numbers(const std::string& name) const;
  /// Axes, an attribute of older operator sets and an input of later ones; nothing where left out.
  std::optional<std::vector<std::int64_t>> Axes(std::size_t input) const;

  /// A graph inside the node; refuses a node without.
  const onnx::Graph& Body(const std::string& attribute) const;

  [[noreturn]] void Refuse(const std::string& reason) const;

 private:
  const onnx::Node& node_;
  OnnxBuilder& builder_;
  std::vector<OnnxValue> inputs_;
};

using OnnxOperator = std::function<std::vector<OnnxValue>(const OnnxNode&)>;
using OnnxOperators = std::map<std::string, OnnxOperator>;

/// The tensor of a value.
torch::jit::Value* TensorOf(const OnnxValue& value, OnnxBuilder& builder);
/// Its integers, where they are constant or of sizes alone.
std::optional<std::vector<torch::jit::Value*>> IntegersOf(const OnnxValue& value, OnnxBuilder& builder);

at::ScalarType OnnxType(onnx::ElementType type);
at::Tensor OnnxTensor(const onnx::Tensor& tensor);

/// The operators of ONNX that are read, by name.
const OnnxOperators& AllOnnxOperators();

// Those of each family.
void AddConvolutions(OnnxOperators& all);
void AddPools(OnnxOperators& all);
void AddProducts(OnnxOperators& all);
void AddNormalizations(OnnxOperators& all);
void AddActivations(OnnxOperators& all);
void AddElementwise(OnnxOperators& all);
void AddReductions(OnnxOperators& all);
void AddShapes(OnnxOperators& all);
void AddIndexing(OnnxOperators& all);
void AddPadding(OnnxOperators& all);
void AddRecurrent(OnnxOperators& all);
void AddAttention(OnnxOperators& all);
void AddLinearAttention(OnnxOperators& all);
void AddLosses(OnnxOperators& all);
void AddResizing(OnnxOperators& all);
void AddSelections(OnnxOperators& all);
void AddSignals(OnnxOperators& all);
void AddImages(OnnxOperators& all);

/// What an operator makes of integers that are of sizes: integers again; nothing where it takes tensors.
std::optional<OnnxValue> OnIntegers(const OnnxNode& node);

}  // namespace bitplan::network
