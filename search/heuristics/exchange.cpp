#include "heuristics/exchange.h"

#include <algorithm>

#include "tuning.h"

namespace bitplan::search {
namespace {

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
  if (moves.size() > tuning::tree::kMostMoves) {
    std::stable_sort(moves.begin(), moves.end(), [](const Move& a, const Move& b) { return a.price < b.price; });
    moves.resize(tuning::tree::kMostMoves);
  }
  std::stable_sort(moves.begin(), moves.end(), [](const Move& a, const Move& b) { return a.loss < b.loss; });
  return moves;
}

class Neighborhood {
 public:
  Neighborhood(const Core& core, const CorePlan& plan, std::vector<Move> moves)
      : core_(core), plan_(plan), moves_(std::move(moves)), left_(core.limits) {
    for (std::size_t i = 0; i < core.budgets(); ++i) {
      left_[i] -= core.settled_cost[i];
      for (const Index column : plan) left_[i] -= core.Cost(i, column);
    }
    change_.reserve(moves_.size() * core.budgets());
    for (const Move& move : moves_)
      for (std::size_t i = 0; i < core.budgets(); ++i)
        change_.push_back(core.Cost(i, move.column) - core.Cost(i, plan[core.group[move.column]]));
  }

  /// The plan after the change that lowers the loss most; the plan itself when none does.
  CorePlan BestNeighbor(Monitor& monitor) const {
    double best = 0;
    std::size_t first = moves_.size(), second = moves_.size();
    for (std::size_t a = 0; a < moves_.size(); ++a) {
      const double loss = moves_[a].loss;
      if (loss >= 0 || loss + std::min(moves_[0].loss, 0.0) >= best || monitor.Expired()) break;
      if (loss < best && Fits(a)) {
        best = loss;
        first = second = a;
      }
      for (std::size_t b = 0; b < moves_.size() && loss + moves_[b].loss < best; ++b) {
        if (!FitsWith(a, b) || core_.group[moves_[a].column] == core_.group[moves_[b].column]) continue;
        best = loss + moves_[b].loss;
        first = a;
        second = b;
        break;
      }
    }
    CorePlan neighbor = plan_;
    for (const std::size_t m : {first, second})
      if (m < moves_.size()) neighbor[core_.group[moves_[m].column]] = moves_[m].column;
    return neighbor;
  }

 private:
  bool Fits(std::size_t a) const {
    for (std::size_t i = 0; i < left_.size(); ++i)
      if (change_[a * left_.size() + i] > left_[i]) return false;
    return true;
  }
  bool FitsWith(std::size_t a, std::size_t b) const {
    for (std::size_t i = 0; i < left_.size(); ++i)
      if (change_[a * left_.size() + i] + change_[b * left_.size() + i] > left_[i]) return false;
    return true;
  }

  const Core& core_;
  const CorePlan& plan_;
  std::vector<Move> moves_;     // by rising loss
  std::vector<double> change_;  // [move, budget]
  std::vector<double> left_;    // of each budget
};

}  // namespace

CorePlan Exchange(const Core& core, CorePlan plan, const std::vector<double>& multipliers, Monitor& monitor) {
  for (double value = core.Value(plan);;) {
    CorePlan neighbor = Neighborhood(core, plan, MovesFrom(core, plan, multipliers)).BestNeighbor(monitor);
    const double neighbor_value = core.Value(neighbor);
    if (!(neighbor_value < value)) return plan;
    plan = std::move(neighbor);
    value = neighbor_value;
  }
}

}  // namespace bitplan::search
