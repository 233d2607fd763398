#include "graph_observer.h"

#include <torch/csrc/jit/ir/constants.h>

#include "network/probe_operator.h"

namespace bitplan::network {

using torch::jit::Node;
using torch::jit::Value;

GraphObserver::GraphObserver(const LoweredGraph& lowered, const std::vector<Site>& sites)
    : lowered_(lowered), sites_(sites), graph_(lowered.graph->copy()), taps_(lowered.tap_sites.size()) {
  probe_ = graph_->inputs().back();
  for (Node* node : AllNodes(graph_->block())) {
    const bool structural = node->kind() == TapSymbol() || node->kind() == c10::prim::Constant ||
                            node->kind() == c10::prim::Uninitialized || !node->blocks().empty() ||
                            node->kind() == c10::prim::ListConstruct || node->kind() == c10::prim::TupleConstruct;
    if (!structural) Observe(node);
  }
  for (Value* output : graph_->outputs()) Read(graph_->return_node(), output);
}

const Observation* GraphObserver::Of(std::int64_t tap) const {
  const auto number = static_cast<std::size_t>(tap);
  return number < taps_ ? nullptr : &observations_[number - taps_];
}

void GraphObserver::Observe(Node* node) {
  for (Value* operand : node->inputs()) Read(node, operand);
  for (Value* result : node->outputs()) {
    if (!IsTensorValue(result)) continue;
    const torch::jit::WithInsertPoint after(node->next());
    Tap(result, {node, true, -1});
  }
}

/// Lists and tuples by their items.
void GraphObserver::Read(Node* node, Value* operand) {
  Node* const source = operand->node();
  if (source->kind() == c10::prim::ListConstruct || source->kind() == c10::prim::TupleConstruct) {
    for (Value* item : source->inputs()) Read(node, item);
    return;
  }
  if (!IsTensorValue(operand)) return;
  const torch::jit::WithInsertPoint before(node);
  Tap(operand, {node, false, SiteOf(operand)});
}

int GraphObserver::SiteOf(const Value* operand) const {
  if (operand->node()->kind() != TapSymbol()) return -1;
  const auto tap = static_cast<std::size_t>(TapNumber(operand->node()));
  if (tap >= taps_) return -1;
  const int site = lowered_.tap_sites[tap];
  return sites_[static_cast<std::size_t>(site)].kind == Site::Kind::LayerInput ? site : -1;
}

void GraphObserver::Tap(Value* value, const Observation& observation) {
  const auto number = static_cast<std::int64_t>(taps_ + observations_.size());
  graph_->insert(TapSymbol(), {value, probe_, graph_->insertConstant(number)});
  observations_.push_back(observation);
}

}  // namespace bitplan::network
