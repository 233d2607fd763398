#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "readers/exported/arguments.h"
#include "readers/exported/program_json.h"

namespace bitplan::network {

/// Inserts the operators of an exported program into a graph, as they compute in eval mode.
class ExportedNodes {
 public:
  /// Outlived by the graph.
  ExportedNodes(torch::jit::Graph& graph, const c10::Device& device);

  /// The nodes of `graph`, a program's own or one of its subgraphs, at the graph's point of insertion; what they make
  /// is put into the scope. Throws Error naming operator and module: one that is not known, or has no meaning here
  /// (autocast regions, loops of higher order, custom objects).
  void Insert(const Json& graph, Scope& scope);

  /// One of the program's arguments or outputs.
  torch::jit::Value* Argument(const Json& argument, const Scope& scope) const;

  /// Gives a value the sizes that `graph` states for the name: of the type with symbolic sizes, the same symbol for the
  /// same expression.
  void SetSizes(const Json& graph, const std::string& name, torch::jit::Value* value);

  /// Whether an operator stood in training mode (batch norm, dropout), which it no longer does.
  bool was_training() const { return was_training_; }

 private:
  void InsertNode(const Json& graph, const Json& node, Scope& scope);
  void InsertScalar(const std::string& symbol, const Json& graph, const Json& node, Scope& scope);
  void InsertItem(const Json& graph, const Json& node, Scope& scope);
  void InsertCond(const Json& graph, const Json& node, Scope& scope);
  void InsertChoice(const Json& graph, const Json& node, Scope& scope);
  void InsertInlined(const Json& graph, const Json& node, Scope& scope);
  void InsertOperator(const std::string& target, const Json& graph, const Json& node, Scope& scope);
  std::vector<torch::jit::Value*> Operands(const c10::FunctionSchema& schema, const Json& graph, const Json& node,
                                           const Scope& scope);
  std::optional<torch::jit::Value*> EvalMode(const c10::Argument& argument, const Json& given, const Json& node,
                                             const Scope& scope);
  void Bind(const Json& graph, const Json& output, torch::jit::Value* value, Scope& scope);
  void Name(const Json& graph, const std::string& name, torch::jit::Value* value, Scope& scope);

  torch::jit::Graph& graph_;
  ExportedArguments arguments_;
  std::map<std::string, c10::ShapeSymbol> sizes_;  // by expression
  bool was_training_ = false;
};

}  // namespace bitplan::network
