#include "network/probe_operator.h"

#include <torch/library.h>

#include "network/operator_arguments.h"

namespace bitplan::network {

at::Tensor VisitTap(const at::Tensor& value, const c10::intrusive_ptr<ProbeHandle>& probe, std::int64_t tap) {
  if (!probe->visit) return value;
  try {
    return probe->visit(tap, value);
  } catch (...) {
    probe->error = std::current_exception();
    throw;
  }
}

TORCH_LIBRARY(bitplan, library) {
  library.class_<ProbeHandle>("Probe");
  library.def("tap(Tensor(a) value, __torch__.torch.classes.bitplan.Probe probe, int tap) -> Tensor(a)", VisitTap);
}

c10::Symbol TapSymbol() { return c10::Symbol::fromQualString("bitplan::tap"); }

torch::jit::Value* Tapped(const torch::jit::Node* tap) { return Argument(tap, "value"); }

std::int64_t TapNumber(const torch::jit::Node* tap) { return *IntArgument(tap, "tap"); }

void InsertTaps(LoweredGraph& lowered, const std::vector<Tap>& taps) {
  using torch::jit::Value;
  auto& graph = *lowered.graph;
  Value* const probe = graph.addInput("probe");
  probe->setType(c10::getCustomClassType<c10::intrusive_ptr<ProbeHandle>>());
  for (std::size_t i = 0; i < taps.size(); ++i) {
    const Tap& tap = taps[i];
    lowered.tap_sites.push_back(tap.site);
    const bool result = tap.operand < 0;
    Value* const value = result ? tap.node->output() : tap.node->inputs()[static_cast<std::size_t>(tap.operand)];
    const torch::jit::WithInsertPoint where(result ? tap.node->next() : tap.node);
    Value* const tapped = graph.insert(TapSymbol(), {value, probe, graph.insertConstant(static_cast<std::int64_t>(i))});
    if (result) {
      value->replaceAllUsesAfterNodeWith(tapped->node(), tapped);
    } else {
      tap.node->replaceInput(static_cast<std::size_t>(tap.operand), tapped);
    }
  }
}

void RemoveTaps(LoweredGraph& lowered) {
  auto& graph = *lowered.graph;
  for (torch::jit::Node* node : AllNodes(graph.block())) {
    if (node->kind() != TapSymbol()) continue;
    torch::jit::Node* const number = Argument(node, "tap")->node();
    node->output()->replaceAllUsesWith(Tapped(node));
    node->destroy();
    if (!number->hasUses()) number->destroy();
  }
  graph.eraseInput(graph.inputs().size() - 1);  // the probe
  lowered.tap_sites.clear();
}

}  // namespace bitplan::network
