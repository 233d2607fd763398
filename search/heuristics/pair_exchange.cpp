#include "heuristics/pair_exchange.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "tuning.h"

namespace bitplan::search {
namespace {

/// Another column for a group of the base.
struct Change {
  Index column = 0;
  double price = 0;  // change of loss + λ cost
};

/// None, one or two moves of different groups.
struct Pair {
  double key = 0;  // change of the cost that pairs are sorted by
  double loss = 0;
  std::uint32_t first = 0, second = 0;  // moves; kNoMove: none
};
constexpr std::uint32_t kNoMove = ~std::uint32_t{0};

class PairNeighborhood {
 public:
  PairNeighborhood(const Core& core, const std::vector<double>& multipliers, const std::vector<double>& priced,
                   CorePlan base, double most_price, std::size_t most_moves, std::int64_t& work)
      : core_(core), multipliers_(multipliers), base_(std::move(base)), left_(core.limits), work_(work) {
    for (std::size_t i = 0; i < core.budgets(); ++i) {
      left_[i] -= core.settled_cost[i];
      for (const Index column : base_) left_[i] -= core.Cost(i, column);
    }
    loss_ = core.settled_loss;
    for (const Index column : base_) loss_ += core.loss[column];
    ListMoves(priced, most_price, most_moves);
    ListPairs();
  }

  /// The best plan with a value under `below`, spending less than `window` (priced) under the first budget's limit;
  /// empty when there is none.
  CorePlan Best(double below, double window, Monitor& monitor) {
    const double span = multipliers_[key_] > 0 ? window / multipliers_[key_] : kInfinity;
    Pair best_a, best_b;
    double best = below - loss_;
    bool found = false;
    auto end = pairs_.size();  // of pairs that fit beside the one at hand, whose own costs rise
    auto begin = pairs_.size();
    for (const Pair& a : pairs_) {
      const double rest = left_[key_] - a.key;
      while (end > 0 && pairs_[end - 1].key > rest) --end;
      begin = std::min(begin, end);
      while (begin > 0 && pairs_[begin - 1].key > rest - span) --begin;
      work_ -= static_cast<std::int64_t>(end - begin) + 1;
      if (work_ < 0 || monitor.Expired()) break;
      for (std::size_t at = begin; at < end; ++at) {
        const Pair& b = pairs_[at];
        if (a.loss + b.loss >= best || !Fits(a, b)) continue;
        best = a.loss + b.loss;
        best_a = a;
        best_b = b;
        found = true;
      }
    }
    if (!found) return {};
    CorePlan plan = base_;
    for (const Pair& pair : {best_a, best_b})
      for (const std::uint32_t m : {pair.first, pair.second})
        if (m != kNoMove) plan[core_.group[moves_[m].column]] = moves_[m].column;
    return plan;
  }

 private:
  void ListMoves(const std::vector<double>& priced, double most_price, std::size_t most_moves) {
    for (Index c = 0; c < core_.columns(); ++c) {
      const Index current = base_[core_.group[c]];
      const double price = priced[c] - priced[current];
      if (c != current && price < most_price) moves_.push_back({c, price});
    }
    if (moves_.size() > most_moves) {
      std::stable_sort(moves_.begin(), moves_.end(),
                       [](const Change& a, const Change& b) { return a.price < b.price; });
      moves_.resize(most_moves);
    }
    double widest = -1;
    for (std::size_t i = 0; i < core_.budgets(); ++i) {
      double low = 0, high = 0;
      for (const Change& move : moves_) {
        const double change = core_.Cost(i, move.column) - core_.Cost(i, base_[core_.group[move.column]]);
        change_.push_back(change);
        low = std::min(low, change);
        high = std::max(high, change);
      }
      if (multipliers_[i] * (high - low) <= widest) continue;
      widest = multipliers_[i] * (high - low);
      key_ = i;
    }
  }

  double ChangeOf(std::size_t budget, std::uint32_t move) const {
    return move == kNoMove ? 0 : change_[budget * moves_.size() + move];
  }
  double LossOf(std::uint32_t move) const {
    if (move == kNoMove) return 0;
    const Index column = moves_[move].column;
    return core_.loss[column] - core_.loss[base_[core_.group[column]]];
  }
  bool SameGroup(std::uint32_t a, std::uint32_t b) const {
    return a != kNoMove && b != kNoMove && core_.group[moves_[a].column] == core_.group[moves_[b].column];
  }

  void ListPairs() {
    const auto add = [&](std::uint32_t a, std::uint32_t b) {
      pairs_.push_back({ChangeOf(key_, a) + ChangeOf(key_, b), LossOf(a) + LossOf(b), a, b});
    };
    add(kNoMove, kNoMove);
    for (std::uint32_t a = 0; a < moves_.size(); ++a) {
      add(a, kNoMove);
      for (std::uint32_t b = a + 1; b < moves_.size(); ++b)
        if (!SameGroup(a, b)) add(a, b);
    }
    std::sort(pairs_.begin(), pairs_.end(), [](const Pair& a, const Pair& b) { return a.key < b.key; });
  }

  bool Fits(const Pair& a, const Pair& b) const {
    for (std::size_t i = 0; i < core_.budgets(); ++i)
      if (ChangeOf(i, a.first) + ChangeOf(i, a.second) + ChangeOf(i, b.first) + ChangeOf(i, b.second) > left_[i])
        return false;
    return !SameGroup(a.first, b.first) && !SameGroup(a.first, b.second) && !SameGroup(a.second, b.first) &&
           !SameGroup(a.second, b.second);
  }

  const Core& core_;
  const std::vector<double>& multipliers_;
  const CorePlan base_;
  std::vector<double> left_;  // of each budget; below 0 where the base exceeds it
  double loss_ = 0;           // of the base
  std::vector<Change> moves_;
  std::vector<double> change_;  // [budget, move]
  std::vector<Pair> pairs_;     // by rising key
  std::size_t key_ = 0;         // budget
  std::int64_t& work_;          // left
};

std::vector<double> Priced(const Core& core, const std::vector<double>& multipliers) {
  std::vector<double> priced = core.loss;
  for (std::size_t i = 0; i < core.budgets(); ++i)
    for (std::size_t c = 0; c < core.columns(); ++c) priced[c] += multipliers[i] * core.Cost(i, c);
  return priced;
}

CorePlan Leading(const Node& root) {
  CorePlan plan = root.part.settled;
  for (std::size_t g = 0; g < root.part.groups(); ++g) plan[root.part.free_group[g]] = root.relaxation.leading[g];
  return plan;
}

}  // namespace

Incumbent ExchangePairs(const Core& core, const Node& root, double gap, Incumbent start, std::int64_t work,
                        Monitor& monitor) {
  const std::vector<double>& multipliers = root.relaxation.multipliers;
  const double bound = root.bound;
  const auto most_moves = static_cast<std::size_t>(std::sqrt(tuning::pairs::kShareOfPairs * static_cast<double>(work)));
  const std::vector<double> priced = Priced(core, multipliers);
  Incumbent best = std::move(start);
  CorePlan base = Leading(root);
  const auto missed = [&] { return best.Cutoff(core, gap) - bound; };  // 0 and below: nothing
  for (bool improved = true; improved && missed() > 0 && work > 0 && !monitor.Expired();) {
    improved = false;
    PairNeighborhood neighborhood(core, multipliers, priced, std::move(base), best.value - bound, most_moves, work);
    // Narrow windows first: what they have is the best, and they take the least.
    const double widest = best.value - bound;
    for (double window = std::max(widest - missed(), tuning::pairs::kNarrowest * widest); !improved && work > 0;
         window *= tuning::pairs::kGrowth) {
      improved = best.Offer(core, neighborhood.Best(best.value, window, monitor));
      if (window >= widest) break;
    }
    if (improved) base = PlanOf(core, best.choices);
  }
  return best;
}

}  // namespace bitplan::search
