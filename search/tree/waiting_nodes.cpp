#include "tree/waiting_nodes.h"

#include <algorithm>

#include "tuning.h"

namespace bitplan::search {
namespace {

bool WaitsLonger(const WaitingNode& a, const WaitingNode& b) {
  return a.bound > b.bound || (a.bound == b.bound && a.serial < b.serial);
}

}  // namespace

std::size_t WaitingNodes::MostInHeap() const {
  return tuning::tree::kMostWaitingBytes / (sizeof(WaitingNode) + core_.columns() / 8 + core_.budgets() * 32 + 64);
}

void WaitingNodes::Add(const Node& node) {
  WaitingNode waiting{node.bound, serial_++, node.part.rest, {}, node.relaxation.basis};
  waiting.columns.assign(core_.columns() / 64 + 1, 0);
  const auto mark = [&](Index column) { waiting.columns[column / 64] |= std::uint64_t{1} << (column % 64); };
  for (const Index column : node.part.column) mark(column);
  for (const Index column : node.part.settled)
    if (column != Subproblem::kFree) mark(column);
  if (heap_.size() >= MostInHeap()) {
    stack_.push_back(std::move(waiting));
    return;
  }
  heap_.push_back(std::move(waiting));
  std::push_heap(heap_.begin(), heap_.end(), WaitsLonger);
}

std::optional<WaitingNode> WaitingNodes::Take() {
  if (stack_.empty() && heap_.empty()) return std::nullopt;
  auto& from = stack_.empty() ? heap_ : stack_;
  if (stack_.empty()) std::pop_heap(heap_.begin(), heap_.end(), WaitsLonger);
  WaitingNode next = std::move(from.back());
  from.pop_back();
  return next;
}

Subproblem WaitingNodes::PartOf(const WaitingNode& waiting) const {
  std::vector<char> keep(core_.columns());
  for (std::size_t c = 0; c < keep.size(); ++c) keep[c] = (waiting.columns[c / 64] >> (c % 64)) & 1;
  Subproblem part = *Restrict(core_, root_.part, keep);
  part.rest = waiting.rest;
  return part;
}

double WaitingNodes::Bound() const {
  double bound = heap_.empty() ? kInfinity : heap_.front().bound;
  for (const WaitingNode& waiting : stack_) bound = std::min(bound, waiting.bound);
  return bound;
}

}  // namespace bitplan::search
