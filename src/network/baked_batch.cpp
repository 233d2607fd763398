#include "network/baked_batch.h"

#include <torch/csrc/jit/ir/constants.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "network/operator_arguments.h"

namespace bitplan::network {

namespace {

using torch::jit::Node;
using torch::jit::Value;

/// Samples stand on the first axis or, in recurrent states and sequences that begin with their steps, on the second.
constexpr std::size_t kLeadingSizes = 2;

void AddLeadingSizes(const Value* sizes, std::set<std::int64_t>& found) {
  std::vector<std::optional<c10::IValue>> items;
  if (const auto constant = torch::jit::toIValue(sizes); constant && constant->isIntList()) {
    for (const std::int64_t size : constant->toIntVector()) items.emplace_back(size);
  } else if (sizes->node()->kind() == c10::prim::ListConstruct) {
    for (const Value* item : sizes->node()->inputs()) items.push_back(torch::jit::toIValue(item));
  }
  for (std::size_t i = 0; i < std::min(items.size(), kLeadingSizes); ++i)
    if (items[i] && items[i]->isInt() && items[i]->toInt() > 0) found.insert(items[i]->toInt());
}

/// Whether the operator works along the first axis.
bool IsAlongFirst(const Node* node) { return IntArgument(node, "dim") == 0; }

/// The sizes along the first axis that taking parts of it tells: the third item stands for at least three.
void AddParts(const Node* node, std::set<std::int64_t>& found) {
  const std::string op = OperatorName(node);
  if (op == "select" && IsAlongFirst(node)) {
    const auto index = IntArgument(node, "index");
    if (index && *index >= 0) found.insert(*index + 1);
  }
  if (op != "unbind" && op != "split" && op != "chunk") return;
  if (!IsAlongFirst(node)) return;
  for (const torch::jit::Use& use : node->output()->uses())
    if (use.user->kind() == c10::prim::ListUnpack) found.insert(static_cast<std::int64_t>(use.user->outputs().size()));
}

}  // namespace

bool BakedBatch::HasSizeOf(std::int64_t batch) const {
  return std::any_of(sizes.begin(), sizes.end(),
                     [&](std::int64_t size) { return batch == 1 ? size == 1 : size % batch == 0; });
}

BakedBatch FindBakedBatch(const LoweredGraph& lowered) {
  constexpr std::array kSizes = {"size", "shape", "sizes", "repeats"};
  BakedBatch found;
  found.traced = lowered.traced_samples;
  for (Node* node : AllNodes(lowered.graph->block())) {
    for (const char* name : kSizes)
      if (const Value* const sizes = Argument(node, name)) AddLeadingSizes(sizes, found.sizes);
    if (node->maybeSchema()) AddParts(node, found.sizes);
  }
  return found;
}

}  // namespace bitplan::network
