#include "network/operator_graph.h"

#include <torch/csrc/jit/ir/constants.h>

#include <map>
#include <set>
#include <string_view>

#include "graph_observer.h"
#include "network/impl.h"
#include "network/operator_traits.h"
#include "network/probe_operator.h"
#include "network/weight_operand.h"
#include "operands.h"

namespace bitplan::network {

using torch::jit::Node;
using torch::jit::Value;

namespace {

/// Whether the result holds the elements of the first operand in another arrangement. In eval mode dropout is such an
/// operator too.
bool Rearranges(const Node* node) {
  return node->kind().is_prim() || node->kind() == TapSymbol() || IsView(node) || Has(node, OperatorTrait::Rearranges);
}

}  // namespace

/// Follows every tensor from the operator that makes it to those that read it.
class OperatorTracer {
 public:
  explicit OperatorTracer(const Network& network)
      : network_(network),
        lowered_(network.lowered()),
        map_(network.impl().map),
        activations_(Activations(lowered_, map_)) {
    for (std::size_t i = 0; i < lowered_.arguments.size(); ++i) makers_[lowered_.graph->inputs()[i]] = {-1};
  }

  std::vector<Operator> Trace() {
    for (const Node* node : AllNodes(lowered_.graph->block())) Visit(node);
    for (const Value* output : lowered_.graph->outputs())
      for (const int maker : MakersOf(output))
        if (maker >= 0) operators_[static_cast<std::size_t>(maker)].returned = true;
    return std::move(operators_);
  }

 private:
  void Visit(const Node* node) {
    const bool is_layer = map_.layer_of_node.contains(node);
    const bool computes =
        !node->outputs().empty() && IsTensorValue(node->outputs()[0]) && activations_.contains(node->outputs()[0]);
    if (is_layer || (computes && !Rearranges(node))) {
      Add(node);
    } else {
      HandOn(node);
    }
  }

  void Add(const Node* node) {
    Operator made;
    made.op = OperatorName(node);
    if (made.op.ends_with('_')) made.op.pop_back();
    made.name = made.op;
    if (const auto layer = map_.layer_of_node.find(node); layer != map_.layer_of_node.end()) {
      made.layer = layer->second;
      made.op = network_.layers()[static_cast<std::size_t>(layer->second)].op;
      made.name = network_.layers()[static_cast<std::size_t>(layer->second)].name;
    } else if (const auto operand_operator = map_.operand_operators.find(node);
               operand_operator != map_.operand_operators.end()) {
      made.op = operand_operator->second.op;
      made.name = operand_operator->second.name;
    }
    for (const Value* input : node->inputs()) Read(made, input);
    for (const Value* output : node->outputs()) makers_[output] = {static_cast<int>(operators_.size())};
    operators_.push_back(std::move(made));
  }

  /// Lists by their items. Of operators that are no layers only what a layer made before counts.
  void Read(Operator& reader, const Value* input) {
    if (input->node()->kind() == c10::prim::ListConstruct) {
      for (const Value* item : input->node()->inputs()) Read(reader, item);
      return;
    }
    const Value* const tensor = input->node()->kind() == TapSymbol() ? Tapped(input->node()) : input;
    for (const int maker : MakersOf(tensor))
      if (maker >= 0 || reader.layer >= 0) reader.inputs.push_back({maker, TensorNumber(tensor), SiteOf(input)});
  }

  /// A layer's result is tapped as well; that is no other tensor.
  int TensorNumber(const Value* value) {
    return tensors_.try_emplace(value, static_cast<int>(tensors_.size())).first->second;
  }

  int SiteOf(const Value* input) const {
    for (const Value* value = input; value->node()->kind() == TapSymbol(); value = Tapped(value->node())) {
      const int site = lowered_.SiteOf(value->node());
      if (network_.sites()[static_cast<std::size_t>(site)].kind != Site::Kind::LayerOutput) return site;
    }
    return -1;
  }

  void HandOn(const Node* node) {
    if (node->kind() == c10::prim::Loop) {
      for (std::size_t i = 0; i < node->outputs().size(); ++i) {
        Merge(node->inputs()[2 + i], node->blocks()[0]->inputs()[1 + i]);
        Merge(node->inputs()[2 + i], node->outputs()[i]);
        inside_[node->outputs()[i]].push_back(node->blocks()[0]->outputs()[1 + i]);
      }
      return;
    }
    if (node->kind() == c10::prim::If) {
      for (const torch::jit::Block* block : node->blocks())
        for (std::size_t i = 0; i < node->outputs().size(); ++i)
          inside_[node->outputs()[i]].push_back(block->outputs()[i]);
      return;
    }
    for (const Value* input : node->inputs())
      for (const Value* output : node->outputs())
        if (HoldsTensors(output)) Merge(input, output);
  }

  void Merge(const Value* from, const Value* to) {
    const std::set<int> makers = MakersOf(from);
    makers_[to].insert(makers.begin(), makers.end());
  }

  /// What a branch or loop gives is made inside it, which is visited after the node itself.
  std::set<int> MakersOf(const Value* value) const {
    std::set<int> makers;
    if (const auto found = makers_.find(value); found != makers_.end()) makers = found->second;
    if (const auto found = inside_.find(value); found != inside_.end())
      for (const Value* result : found->second) makers.merge(MakersOf(result));
    return makers;
  }

  const Network& network_;
  const LoweredGraph& lowered_;
  const LayerMap& map_;
  std::set<const Value*> activations_;
  std::vector<Operator> operators_;
  std::map<const Value*, std::set<int>> makers_;
  std::map<const Value*, std::vector<const Value*>>
      inside_;  // results of the blocks of a branch or loop, by the result of the node
  std::map<const Value*, int> tensors_;
};

std::vector<Operator> OperatorGraph(const Network& network) { return OperatorTracer(network).Trace(); }

}  // namespace bitplan::network
