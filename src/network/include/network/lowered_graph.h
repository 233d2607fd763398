#pragma once

#include <torch/csrc/jit/api/compilation_unit.h>
#include <torch/csrc/jit/ir/ir.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "bitplan/network.h"

namespace bitplan::network {

/// What a batch norm made of a layer's output channels over its training data, float64 [channels]: its bias β and |γ|.
struct FoldedNorm {
  at::Tensor mean, deviation;
};

}  // namespace bitplan::network

namespace bitplan {

/// A model's forward, inlined, with every tensor of the module as a graph input.
/// Graph inputs, in order: the tensors that the caller gives, the parameters, and, once taps are in, the probe.
struct LoweredGraph {
  std::shared_ptr<torch::jit::Graph> graph;
  std::vector<std::string> arguments;  ///< names of the tensors that the caller gives
  std::vector<Parameter> parameters;   ///< values of the graph inputs after the arguments
  std::set<std::string> nameless;      ///< parameters that were constants in the code: their names are not the model's
  std::optional<std::int64_t>
      traced_samples;                ///< of the example that it was traced or exported with, where the file tells
  std::vector<std::string> remarks;  ///< what was not taken as the file has it, for the user: in whole clauses
  std::map<std::string, std::string> input_values;  ///< of inputs that are no tensors, those given: fixed in the graph
  std::map<std::string, network::FoldedNorm>
      folded_norms;            ///< of the layers that batch norms were folded into, by the weight's name
  std::vector<int> tap_sites;  ///< site of each tap, by the number that its operator carries; see InsertTaps
  /// Graph inputs (by position) that an in-place operator may write to: they are copied before each run, so that every
  /// run starts from the saved state and the caller's tensors stay as they are.
  std::vector<std::size_t> written_inputs;
  /// Owners of the functions that were inlined: nodes point to them, and an operator that fails names them.
  std::vector<std::shared_ptr<torch::jit::CompilationUnit>> inlined_from;

  torch::jit::Value* ParameterInput(std::size_t index) const { return graph->inputs()[arguments.size() + index]; }

  /// Index of the parameter that `value` is, or nothing when it is not a parameter itself.
  std::optional<std::size_t> ParameterOf(const torch::jit::Value* value) const;

  /// Adds a parameter at the end and returns the graph input that stands for it.
  torch::jit::Value* AddParameter(Parameter parameter);

  /// Site of a tap operator.
  int SiteOf(const torch::jit::Node* tap) const;

  /// Drops parameters that nothing reads.
  void RemoveUnusedParameters();
};

}  // namespace bitplan

namespace bitplan::network {

/// Whether `name` is that of the object at `path` or of something in it: a, a.b and a.0.c of a.
bool IsOrHolds(const std::string& path, const std::string& name);

/// Every node of `block` and of the blocks inside it, in order of execution.
std::vector<torch::jit::Node*> AllNodes(torch::jit::Block* block);

/// The boolean that `value` holds when it is a constant.
std::optional<bool> ConstantBool(const torch::jit::Value* value);

/// Whether `node` only asks for a shape, a type or a device, not for a tensor's elements.
bool AsksForFact(const torch::jit::Node* node);

/// How many times an operator reads the elements of `value`; asking for its shape or type does not count.
std::size_t CountReaders(const torch::jit::Value* value);

/// Whether `value` is a tensor for certain: no optional one.
bool IsTensorValue(const torch::jit::Value* value);

/// Name of the operator without its namespace: conv2d for aten::conv2d.
std::string OperatorName(const torch::jit::Node* node);

}  // namespace bitplan::network
