#include "live_values.h"

#include <algorithm>
#include <set>

namespace bitplan::network {

using torch::jit::Value;

namespace {

bool IsKindOfContainer(const Value* value) {
  const auto kind = value->type()->kind();
  return kind == c10::TypeKind::ListType || kind == c10::TypeKind::DictType || kind == c10::TypeKind::TupleType ||
         kind == c10::TypeKind::ClassType || kind == c10::TypeKind::OptionalType;
}

}  // namespace

LiveValues::LiveValues(const LoweredGraph& lowered)
    : lowered_(lowered), top_(*lowered.graph), aliases_(lowered.graph) {}

std::vector<Value*> LiveValues::At(std::size_t position) const {
  std::vector<Value*> live;
  std::set<const Value*> seen;
  for (std::size_t i = 0; i < position; ++i) {
    if (top_.nodes()[i]->kind() == c10::prim::Constant) continue;
    for (Value* value : top_.nodes()[i]->outputs()) {
      const auto& uses = value->uses();
      const bool later = std::any_of(uses.begin(), uses.end(),
                                     [&](const torch::jit::Use& use) { return top_.PositionOf(use.user) >= position; });
      if (later && seen.insert(value).second) live.push_back(value);
    }
  }
  return live;
}

bool LiveValues::CanBeKept(std::size_t position) const {
  if (!lowered_.written_inputs.empty()) return false;
  const std::vector<Value*> live = At(position);
  return std::none_of(live.begin(), live.end(),
                      [&](const Value* value) { return IsKindOfContainer(value) && aliases_.hasWriters(value); });
}

bool LiveValues::IsWritten(const Value* tensor) const { return IsTensorValue(tensor) && aliases_.hasWriters(tensor); }

}  // namespace bitplan::network
