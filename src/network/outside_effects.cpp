#include "outside_effects.h"

#include <ATen/core/function.h>
#include <ATen/core/jit_type.h>
#include <fmt/format.h>
#include <torch/csrc/jit/api/function_impl.h>

#include <algorithm>
#include <array>
#include <string>
#include <unordered_map>

#include "bitplan/error.h"
#include "network/lowered_graph.h"

namespace bitplan::network {

namespace {

using torch::jit::Block;
using torch::jit::Node;

/// Nodes of a graph: ten times those of the largest networks, and half a gibibyte.
constexpr double kMostNodes = 500'000;

[[noreturn]] void RefuseSize() {
  throw Error(fmt::format("with all that it calls it has more than {} operators", kMostNodes));
}

class InlinedSize {
 public:
  double Of(const Block* block) {
    double nodes = 0;
    for (const Node* node : block->nodes()) {
      nodes += 1;
      for (const Block* inner : node->blocks()) nodes += Of(inner);
      if (const auto* called = Called(node)) nodes += Of(*called);
      if (nodes > kMostNodes) RefuseSize();
    }
    return nodes;
  }

 private:
  static const torch::jit::Function* Called(const Node* node) {
    if (node->kind() == c10::prim::CallFunction) {
      const auto type = node->input(0)->type()->cast<c10::FunctionType>();
      return type ? type->function() : nullptr;
    }
    if (node->kind() != c10::prim::CallMethod) return nullptr;
    const auto type = node->input(0)->type()->cast<c10::ClassType>();
    return type ? type->findMethod(node->s(c10::attr::name)) : nullptr;
  }

  double Of(const torch::jit::Function& function) {
    const auto [found, fresh] = nodes_.try_emplace(&function, kMostNodes + 1);  // of one that calls itself
    if (!fresh) return found->second;
    const auto* const with_graph = dynamic_cast<const torch::jit::GraphFunction*>(&function);
    const double nodes = with_graph ? Of(with_graph->graph()->block()) : 1;
    return nodes_[&function] = nodes;
  }

  std::unordered_map<const torch::jit::Function*, double> nodes_;
};

}  // namespace

void CheckInlinedSize(const torch::jit::Graph& graph) { InlinedSize().Of(graph.block()); }

void RemoveOutsideEffects(torch::jit::Graph& graph) {
  constexpr std::array<std::string_view, 7> kRefused = {"aten::save",      "aten::from_file",  "prim::rpc_sync",
                                                        "prim::rpc_async", "prim::rpc_remote", "prim::PythonOp",
                                                        "prim::BailOut"};
  constexpr std::array<std::string_view, 3> kPrints = {"prim::Print", "aten::warn", "aten::_print"};
  double nodes = 0;
  for (Node* node : AllNodes(graph.block())) {
    const std::string_view kind = node->kind().toQualString();
    if (std::find(kRefused.begin(), kRefused.end(), kind) != kRefused.end())
      throw Error(fmt::format("it calls {}, which reaches beyond the network, and networks here may not", kind));
    if (std::find(kPrints.begin(), kPrints.end(), kind) != kPrints.end() && node->outputs().empty()) node->destroy();
    if (++nodes > kMostNodes) RefuseSize();
  }
}

}  // namespace bitplan::network
