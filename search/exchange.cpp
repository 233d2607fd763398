#include "search/exchange.h"

#include <algorithm>

namespace bitplan::search {
namespace {

constexpr std::size_t kMostMoves = 2000;

/// Another column for a group.
struct Move {
  Index column = 0;
  double loss = 0;   // change
  double price = 0;  // change of loss + λ cost
};

std::vector<Move> MovesFrom(const Core& core, const CorePlan& plan, const std::vector<double>& multipliers) {
  std::vector<Move> moves;
  for (Index c = 0; c < core.columns(); ++c) {
    const Index current = plan[core.group[c]];
    if (c == current) continue;
    Move move{c, core.loss[c] - core.loss[current], 0};
    move.price = move.loss;
    for (std::size_t i = 0; i < core.budgets(); ++i)
      move.price += multipliers[i] * (core.Cost(i, c) - core.Cost(i, current));
    moves.push_back(move);
  }
  if (moves.size() > kMostMoves) {
    std::stable_sort(moves.begin(), moves.end(), [](const Move& a, const Move& b) { return a.price < b.price; });
    moves.resize(kMostMoves);
  }
  std::stable_sort(moves.begin(), moves.end(), [](const Move& a, const Move& b) { return a.loss < b.loss; });
  return moves;
}

struct Neighborhood {
  const Core& core;
  const CorePlan& plan;
  std::vector<Move> moves;
  std::vector<double> left;  // of each budget

  bool Fits(const Move& a, const Move* b) const {
    for (std::size_t i = 0; i < core.budgets(); ++i) {
      double change = core.Cost(i, a.column) - core.Cost(i, plan[core.group[a.column]]);
      if (b != nullptr) change += core.Cost(i, b->column) - core.Cost(i, plan[core.group[b->column]]);
      if (change > left[i]) return false;
    }
    return true;
  }

  /// The plan after the change that lowers the loss most; the plan itself when none does.
  CorePlan BestNeighbor(Monitor& monitor) const {
    double best = 0;
    const Move* first = nullptr;
    const Move* second = nullptr;
    for (const Move& a : moves) {
      if (a.loss >= 0 || a.loss + std::min(moves[0].loss, 0.0) >= best || monitor.Expired()) break;
      if (a.loss < best && Fits(a, nullptr)) {
        best = a.loss;
        first = &a;
        second = nullptr;
      }
      for (const Move& b : moves) {
        if (a.loss + b.loss >= best) break;
        if (core.group[a.column] == core.group[b.column] || !Fits(a, &b)) continue;
        best = a.loss + b.loss;
        first = &a;
        second = &b;
        break;
      }
    }
    CorePlan neighbor = plan;
    if (first != nullptr) neighbor[core.group[first->column]] = first->column;
    if (second != nullptr) neighbor[core.group[second->column]] = second->column;
    return neighbor;
  }
};

}  // namespace

CorePlan Exchange(const Core& core, CorePlan plan, const std::vector<double>& multipliers, Monitor& monitor) {
  for (double value = core.Value(plan);;) {
    Neighborhood neighborhood{core, plan, MovesFrom(core, plan, multipliers), core.limits};
    for (std::size_t i = 0; i < core.budgets(); ++i)
      for (const Index column : plan) neighborhood.left[i] -= core.Cost(i, column);
    CorePlan neighbor = neighborhood.BestNeighbor(monitor);
    const double neighbor_value = core.Value(neighbor);
    if (!(neighbor_value < value)) return plan;
    plan = std::move(neighbor);
    value = neighbor_value;
  }
}

}  // namespace bitplan::search
