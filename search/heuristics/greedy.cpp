#include "heuristics/greedy.h"

#include <algorithm>
#include <queue>

#include "heuristics/exchange.h"

namespace bitplan::search {
namespace {

std::vector<double> PricePerColumn(const Core& core, const std::vector<double>& prices) {
  std::vector<double> price(core.columns(), 0.0);
  for (std::size_t i = 0; i < core.budgets(); ++i)
    for (std::size_t c = 0; c < core.columns(); ++c) price[c] += prices[i] * core.Cost(i, c);
  return price;
}

CorePlan CheapestPlan(const Core& core, const std::vector<double>& price) {
  CorePlan plan;
  for (std::size_t g = 0; g < core.groups(); ++g) {
    const auto begin = price.begin() + core.first[g], end = price.begin() + core.first[g + 1];
    plan.push_back(static_cast<Index>(std::min_element(begin, end) - price.begin()));
  }
  return plan;
}

/// A column to move to, and how much loss it saves for one unit of price.
struct Step {
  double ratio = 0;
  Index column = 0;
  Index from = 0;

  bool operator<(const Step& other) const {
    return ratio < other.ratio || (ratio == other.ratio && column > other.column);
  }
};

class Climber {
 public:
  Climber(const Core& core, CorePlan plan, std::vector<double> price)
      : core_(core), plan_(std::move(plan)), price_(std::move(price)), use_(core.budgets(), 0.0) {
    for (const Index column : plan_)
      for (std::size_t i = 0; i < core_.budgets(); ++i) use_[i] += core_.Cost(i, column);
  }

  CorePlan Climb(Monitor& monitor) {
    for (Index g = 0; g < core_.groups(); ++g) Queue(g);
    while (!steps_.empty() && !monitor.Expired()) {
      const Step step = steps_.top();
      steps_.pop();
      const Index group = core_.group[step.column];
      if (plan_[group] != step.from || !Fits(step)) continue;
      for (std::size_t i = 0; i < core_.budgets(); ++i)
        use_[i] += core_.Cost(i, step.column) - core_.Cost(i, step.from);
      plan_[group] = step.column;
      Queue(group);
    }
    return plan_;
  }

 private:
  void Queue(Index group) {
    const Index from = plan_[group];
    for (Index c = core_.first[group]; c < core_.first[group + 1]; ++c) {
      const double saved = core_.loss[from] - core_.loss[c];
      if (saved <= 0) continue;
      const double paid = price_[c] - price_[from];
      steps_.push({paid > 0 ? saved / paid : kInfinity, c, from});
    }
  }

  bool Fits(const Step& step) const {
    for (std::size_t i = 0; i < core_.budgets(); ++i)
      if (use_[i] + core_.Cost(i, step.column) - core_.Cost(i, step.from) > core_.limits[i]) return false;
    return true;
  }

  const Core& core_;
  CorePlan plan_;
  std::vector<double> price_;
  std::vector<double> use_;
  std::priority_queue<Step> steps_;
};

/// Prices that climb, and prices that tell the cheapest plan to start from. A start over a budget is no use.
CorePlan ClimbFrom(const Core& core, const std::vector<double>& start_prices, const std::vector<double>& prices,
                   Monitor& monitor) {
  CorePlan start = CheapestPlan(core, PricePerColumn(core, start_prices));
  if (core.Value(start) == kInfinity) return {};
  CorePlan plan = Climber(core, start, PricePerColumn(core, prices)).Climb(monitor);
  return core.Value(plan) < kInfinity ? plan : start;
}

}  // namespace

Incumbent SearchGreedily(const Core& core, const std::vector<double>& multipliers, Monitor& monitor) {
  std::vector<double> shares;
  for (const double limit : core.limits) shares.push_back(1 / limit);
  Incumbent best;
  CorePlan climbed;
  for (const auto& start : {shares, multipliers})
    for (const auto& prices : {shares, multipliers}) {
      CorePlan plan = ClimbFrom(core, start, prices, monitor);
      if (best.Offer(core, plan)) climbed = std::move(plan);
    }
  if (!climbed.empty()) best.Offer(core, Exchange(core, std::move(climbed), multipliers, monitor));
  return best;
}

}  // namespace bitplan::search
