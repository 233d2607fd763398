#pragma once

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/ir/ir.h>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace bitplan::network {

/// Inserts operators of ATen into a graph and knows, as it does so, what each tensor's type, axes and fixed sizes will
/// be: every value has two examples without elements, whose inputs differ in all sizes that may change from run to run.
/// A size that both have is fixed. What constants alone make is computed at once.
class OnnxBuilder {
 public:
  using Arguments = std::vector<torch::jit::NamedValue>;
  using Value = torch::jit::Value;

  /// Outlived by the graph.
  OnnxBuilder(torch::jit::Graph& graph, const c10::Device& device) : graph_(graph), device_(device) {}

  torch::jit::Graph& graph() { return graph_; }
  const c10::Device& device() const { return device_; }

  /// The result of "aten::relu" with these arguments, its only or its first one.
  Value* Call(const std::string& op, const Arguments& arguments, const Arguments& named = {});

  /// All results of an operator that has several.
  std::vector<Value*> CallForAll(const std::string& op, const Arguments& arguments, const Arguments& named = {});

  Value* Constant(const c10::IValue& value);

  /// A list of integers or, where there are any tensors, of tensors; a constant where all items are.
  Value* Integers(const std::vector<Value*>& items);
  Value* Tensors(const std::vector<Value*>& items);

  /// The parts of a list of tensors.
  std::vector<Value*> Unpack(Value* list, std::size_t count);

  /// Takes a node that nothing reads out of the graph again.
  void Discard(torch::jit::Node* node);

  /// What a constant is, or a list of them; nothing where the value is of a run.
  std::optional<c10::IValue> ConstantOf(const Value* value) const;

  /// The same of tensors, and what a parameter holds, from which an operator may read numbers once and for all.
  std::optional<at::Tensor> KnownTensor(const Value* tensor) const;
  void SetKnownTensor(const Value* parameter, const at::Tensor& values) { known_.insert_or_assign(parameter, values); }

  using Examples = std::array<c10::IValue, 2>;
  void SetExamples(const Value* value, const Examples& examples) { examples_[value] = examples; }
  std::optional<Examples> ExamplesOf(const Value* value) const;

  /// Of a tensor. Throws Error where it depends on what the tensors of a run hold.
  std::int64_t Rank(const Value* tensor) const;
  at::ScalarType Type(const Value* tensor) const;

  /// Axis counted from the front, of a tensor with so many `more` axes. Throws Error where there is none such.
  std::int64_t Axis(const Value* tensor, std::int64_t axis, std::int64_t more = 0) const;

  /// The size along an axis where it is the same in every run.
  std::optional<std::int64_t> FixedSize(const Value* tensor, std::int64_t axis) const;

  /// That size as an integer of the graph.
  Value* Size(Value* tensor, std::int64_t axis);
  std::vector<Value*> Sizes(Value* tensor);

 private:
  std::vector<Value*> Finish(torch::jit::Node* node);
  std::optional<std::vector<c10::IValue>> Operands(const torch::jit::Node* node) const;
  std::optional<c10::IValue> Example(const Value* value, std::size_t side) const;
  void Probe(torch::jit::Node* node);
  bool IsGuessed(const Value* value) const;
  void Forget(const Value* value);
  at::Tensor ExampleOf(const Value* tensor, std::size_t side) const;

  torch::jit::Graph& graph_;
  c10::Device device_;
  std::map<const Value*, Examples> examples_;
  std::map<const Value*, at::Tensor> known_;
  std::set<const Value*> guessed_;  // whose examples' sizes are no sizes of a run, only as many
};

}  // namespace bitplan::network
