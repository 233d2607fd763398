#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <string>
#include <unordered_map>
#include <vector>

#include "readers/exported/program_json.h"

namespace bitplan::network {

/// The values of a program's graph by name, of a subgraph its own.
using Scope = std::unordered_map<std::string, torch::jit::Value*>;

/// Throws Error where nothing has this name, or not yet.
torch::jit::Value* Find(const Scope& scope, const std::string& name);

/// Turns a program's arguments into values at the graph's point of insertion.
class ExportedArguments {
 public:
  /// Tensors that the program makes on a device of its own are made on this one.
  ExportedArguments(torch::jit::Graph& graph, const c10::Device& device) : graph_(graph), device_(device) {}

  /// `argument`, a union, as a value of type `wanted`, or of its own where that is null. A number where a tensor is
  /// wanted becomes a tensor without axes of type `number_type`. Throws Error: of a kind that has no meaning here.
  torch::jit::Value* Make(const Json& argument, const c10::TypePtr& wanted, const Scope& scope,
                          at::ScalarType number_type = at::kFloat) const;

  /// The values of an argument that lists some: a list of tensors or sizes.
  std::vector<torch::jit::Value*> Items(const Json& argument, const Scope& scope) const;

 private:
  torch::jit::Value* Number(c10::IValue number, const c10::TypePtr& wanted, at::ScalarType number_type) const;
  torch::jit::Value* Symbol(const Json& symbol, const Scope& scope) const;
  torch::jit::Value* SymbolAs(const Json& symbol, const c10::TypePtr& wanted, const Scope& scope) const;
  torch::jit::Value* OptionalTensor(const Json& argument, const Scope& scope) const;
  torch::jit::Value* List(const std::vector<torch::jit::Value*>& items, const c10::TypePtr& element) const;

  torch::jit::Graph& graph_;
  c10::Device device_;
};

/// The number that a union holds: as_int, as_float, as_bool.
bool IsNumber(const std::string& kind);

}  // namespace bitplan::network
