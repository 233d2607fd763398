#pragma once

#include <torch/csrc/jit/api/module.h>

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "network/lowered_graph.h"

namespace bitplan::network {

/// Turns what a graph reads from `self` into graph inputs (tensors) and constants (all else).
class AttributeLifter {
 public:
  /// The first graph input is self. Both arguments outlive the lifter.
  AttributeLifter(LoweredGraph& lowered, const torch::jit::Module& module);

  /// Replaces every attribute that the graph never sets.
  void LiftConstantAttributes();

  /// Replaces the attributes that the graph does set by values that flow through it, so that each run starts from the
  /// saved state and leaves no trace.
  void FollowState();

  /// Removes the graph's self input. Throws Error when something still needs it.
  void RemoveSelf();

  /// A graph value that holds `value`: its tensors as parameters, all else as constants at the start of the graph.
  torch::jit::Value* Lift(const c10::IValue& value, const std::string& name);

  /// Whether the model has a tensor at this path or below it.
  bool HasTensorOf(const std::string& path) const;

 private:
  struct Object {
    c10::IValue value;
    std::string name;  // dotted path from self
  };
  using Attribute = std::pair<const void*, std::string>;  // which object, which attribute
  using State = std::map<Attribute, torch::jit::Value*>;  // what the attributes that were read or set hold now

  void FindObjects();
  void InlineInterfaceCalls();
  const Object* ObjectOf(const torch::jit::Value* value) const;
  Attribute AttributeOf(const torch::jit::Node* access) const;
  torch::jit::Value* LiftAttribute(const torch::jit::Node* access);
  torch::jit::Value* LiftConstant(const c10::IValue& value, const std::string& name);
  torch::jit::Value* LiftTensor(const at::Tensor& tensor, const std::string& name);
  bool IsTrainable(const std::string& name, const at::Tensor& tensor) const;
  void FollowBlock(torch::jit::Block* block, State& state);
  void FollowIf(torch::jit::Node* node, State& state);
  void FollowLoop(torch::jit::Node* node, State& state);
  State AttributesSetIn(torch::jit::Node* node, State& state);

  LoweredGraph& lowered_;
  std::unordered_map<const torch::jit::Value*, Object> objects_;
  std::set<Attribute> set_attributes_;
  std::map<std::string, at::Tensor> named_tensors_;  // parameters and buffers of the module by dotted name
  std::set<std::string> trainable_;                  // of these, the parameters
};

}  // namespace bitplan::network
