#include "lists/plan_lists.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

#include "lists/completions.h"
#include "tuning.h"

namespace bitplan::search {
namespace {

using namespace tuning::lists;

/// What is left of `root` below the cutoff; nothing when no plan is.
std::optional<Subproblem> Reduced(const Core& core, const Node& root, double cutoff) {
  std::vector<char> keep(root.part.columns());
  for (std::size_t c = 0; c < keep.size(); ++c)
    keep[c] = root.relaxation.bound + root.relaxation.reduced_loss[c] < cutoff;
  return Restrict(core, root.part, keep);
}

/// The free groups of `part`, those first of which the second best column is the least behind the best at the
/// multipliers: the last ones' choices are all but settled, which makes the bounds of the last lists sharp.
std::vector<Index> OrderOf(const Subproblem& part, const std::vector<double>& multipliers) {
  std::vector<double> behind;
  for (std::size_t g = 0; g < part.groups(); ++g) {
    double best = kInfinity, second = kInfinity;
    for (Index c = part.first[g]; c < part.first[g + 1]; ++c) {
      double priced = part.loss[c];
      for (std::size_t i = 0; i < multipliers.size(); ++i) priced += multipliers[i] * part.cost[i * part.columns() + c];
      second = std::min(second, std::max(best, priced));
      best = std::min(best, priced);
    }
    behind.push_back(second - best);
  }
  std::vector<Index> order(part.groups());
  std::iota(order.begin(), order.end(), Index{0});
  std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) { return behind[a] < behind[b]; });
  return order;
}

class Lists {
 public:
  Lists(const Core& core, const Node& root, double gap, Incumbent start, std::size_t most, Monitor& monitor)
      : core_(core), multipliers_(root.relaxation.multipliers), gap_(gap), most_(most), monitor_(monitor) {
    result_.best = std::move(start);
    result_.bound = root.bound;
    cutoff_ = Cutoff();
    auto part = Reduced(core, root, cutoff_);
    if (part) part_ = std::move(*part);
    if (!part || part_.groups() == 0) {
      if (part) result_.best.Offer(core, part_.settled);
      Finish(kInfinity);
      return;
    }
    order_ = OrderOf(part_, multipliers_);
    for (std::size_t i = 0; i < core.budgets(); ++i) limit_[i] = part_.rest[i] + Rounding(core.limits[i]);
    AddCompletions();
    Run();
  }

  TreeResult Result() && { return std::move(result_); }

 private:
  struct Best {
    double loss = kInfinity;
    PartialPlan plan;
    std::size_t completions = 0, steps = 0;
  };

  /// Of sums over a plan that come to about `sum`.
  double Rounding(double sum) const {
    const auto terms = static_cast<double>(core_.groups() + core_.settled_groups + 4);
    return terms * std::numeric_limits<double>::epsilon() * sum;
  }

  /// Plans of at least this need not be found.
  double Cutoff() const {
    const Incumbent& best = result_.best;
    return best.Cutoff(core_, kShareOfPruning * gap_) + Rounding(best.value);
  }

  /// By the multipliers, which gives the relaxation's own bound, and by each budget alone.
  void AddCompletions() {
    std::vector<std::vector<double>> directions;
    for (std::size_t i = 0; i < core_.budgets(); ++i) {
      directions.emplace_back(core_.budgets(), 0.0);
      directions.back()[i] = 1;
    }
    const auto priced = std::count_if(multipliers_.begin(), multipliers_.end(), [](double price) { return price > 0; });
    if (priced > 1) directions.insert(directions.begin(), multipliers_);
    for (auto& weights : directions) {
      completions_.emplace_back(part_, order_, std::move(weights));
      weighed_limit_.push_back(completions_.back().Weighed(limit_.data()));
    }
  }

  void Run() {
    std::vector<PartialPlan> plans(1);
    plans[0].loss = part_.settled_loss;
    for (std::size_t level = 0; level < order_.size() && !plans.empty(); ++level) {
      for (Completions& completions : completions_) completions.Open(level + 1);
      auto extended = Extend(plans, level);
      if (!extended) return;  // out of time: what is known is the root's bound
      plans = std::move(*extended);
      std::erase_if(plans, [&](const PartialPlan& plan) { return plan.bound >= cutoff_; });
      RemoveBeaten(plans, NextMargin());
      KeepMost(plans);
      origins_.emplace_back();
      origins_.back().reserve(plans.size());
      for (const PartialPlan& plan : plans) origins_.back().push_back(plan.origin);
    }
    double least = kInfinity;
    for (const PartialPlan& plan : plans) least = std::min(least, plan.loss);
    Finish(least);
  }

  /// What a level may count as equal: its share of the gap of the plan at hand.
  double NextMargin() {
    const double allowed = result_.best.Cutoff(core_, 0) - result_.best.Cutoff(core_, gap_);
    const double margin = kShareOfEqual * allowed / static_cast<double>(order_.size());
    margins_ += margin;
    return margin;
  }

  /// Sorted by the first cost. Nothing when the time is up.
  std::optional<std::vector<PartialPlan>> Extend(const std::vector<PartialPlan>& plans, std::size_t level) {
    const Index begin = part_.first[order_[level]], end = part_.first[order_[level] + 1];
    std::vector<PartialPlan> extended, merged;
    std::vector<std::size_t> runs{0};
    Best best;
    for (Index c = begin; c < end; ++c) {
      for (std::size_t at = 0; at < plans.size(); ++at) {
        if (++looked_ % kBetweenLooks == 0 && monitor_.Expired()) return std::nullopt;
        PartialPlan plan = plans[at];
        plan.loss += part_.loss[c];
        for (std::size_t i = 0; i < core_.budgets(); ++i) plan.cost[i] += part_.cost[i * part_.columns() + c];
        plan.origin = static_cast<std::uint32_t>(at * (end - begin) + (c - begin));
        if (Bound(plan, best)) extended.push_back(plan);
      }
      runs.push_back(extended.size());
    }
    TryBest(best, level);
    MergeRuns(extended, runs);
    return extended;
  }

  /// Of runs that are sorted by the first cost, one.
  static void MergeRuns(std::vector<PartialPlan>& plans, std::vector<std::size_t> runs) {
    const auto by_cost = [](const PartialPlan& a, const PartialPlan& b) {
      return a.cost != b.cost ? a.cost < b.cost : a.loss < b.loss;
    };
    const auto at = [&](std::size_t i) { return plans.begin() + static_cast<std::ptrdiff_t>(i); };
    while (runs.size() > 2) {
      std::vector<std::size_t> longer{0};
      for (std::size_t i = 0; i + 2 < runs.size(); i += 2) {
        std::inplace_merge(at(runs[i]), at(runs[i + 1]), at(runs[i + 2]), by_cost);
        longer.push_back(runs[i + 2]);
      }
      if (longer.back() != runs.back()) longer.push_back(runs.back());
      runs = std::move(longer);
    }
  }

  /// Sets the plan's bound, and keeps the best of its completions. Returns whether it is worth going on.
  bool Bound(PartialPlan& plan, Best& best) {
    plan.bound = std::max(plan.bound, plan.loss);
    for (std::size_t d = 0; d < completions_.size(); ++d) {
      Completions& completions = completions_[d];
      const double rest = weighed_limit_[d] - completions.Weighed(plan.cost.data());
      if (rest < completions.Least()) return false;
      const std::size_t steps = completions.StepsIn(rest);
      plan.bound = std::max(plan.bound, plan.loss + completions.Bound(steps, rest));
      if (plan.bound >= cutoff_) return false;
      const double loss = plan.loss + completions.Loss(steps);
      if (loss < std::min(cutoff_, best.loss) && Fits(plan, completions, steps)) best = {loss, plan, d, steps};
    }
    return true;
  }

  bool Fits(const PartialPlan& plan, const Completions& completions, std::size_t steps) const {
    for (std::size_t i = 0; i < core_.budgets(); ++i)
      if (plan.cost[i] + completions.Cost(i, steps) > limit_[i]) return false;
    return true;
  }

  void TryBest(const Best& best, std::size_t level) {
    if (best.loss == kInfinity) return;
    CorePlan plan = part_.settled;
    const std::vector<Index> open = completions_[best.completions].Columns(best.steps);
    for (std::size_t i = 0; i < open.size(); ++i) Take(plan, level + 1 + i, open[i]);
    std::uint32_t origin = best.plan.origin;
    for (std::size_t at = level;; --at) {
      const Index begin = part_.first[order_[at]], count = part_.first[order_[at] + 1] - begin;
      Take(plan, at, begin + origin % count);
      if (at == 0) break;
      origin = origins_[at - 1][origin / count];
    }
    if (result_.best.Offer(core_, plan)) cutoff_ = Cutoff();
  }

  void Take(CorePlan& plan, std::size_t level, Index column) const {
    plan[part_.free_group[order_[level]]] = part_.column[column];
  }

  void KeepMost(std::vector<PartialPlan>& plans) {
    if (plans.size() <= most_) return;
    std::vector<double> bounds;
    for (const PartialPlan& plan : plans) bounds.push_back(plan.bound);
    const auto last = bounds.begin() + static_cast<std::ptrdiff_t>(most_);
    std::nth_element(bounds.begin(), last, bounds.end());
    const double worst = *last;
    dropped_ = std::min(dropped_, worst);
    const auto better = static_cast<std::size_t>(
        std::count_if(bounds.begin(), bounds.end(), [&](double bound) { return bound < worst; }));
    const auto equal = static_cast<std::size_t>(std::count(bounds.begin(), bounds.end(), worst));
    const std::size_t kept = most_ - better;  // of the equal ones, evenly
    std::size_t seen = 0;
    std::erase_if(plans, [&](const PartialPlan& plan) {
      if (plan.bound != worst) return plan.bound > worst;
      ++seen;
      return seen * kept / equal == (seen - 1) * kept / equal;
    });
  }

  /// `least`: loss of what the last list has.
  void Finish(double least) {
    const double slack = margins_ + Rounding(result_.best.value);
    const double bound = std::min({Cutoff(), dropped_, least, result_.best.value}) - slack;
    result_.bound = std::max(result_.bound, bound);
    result_.complete = result_.bound >= result_.best.Cutoff(core_, gap_);
  }

  const Core& core_;
  const std::vector<double>& multipliers_;
  const double gap_;
  const std::size_t most_;
  Monitor& monitor_;
  TreeResult result_;
  Subproblem part_;
  std::vector<Index> order_;
  double margins_ = 0;  // of all levels so far
  std::array<double, kMostBudgetsOfLists> limit_ = {};
  std::vector<Completions> completions_;
  std::vector<double> weighed_limit_;
  std::vector<std::vector<std::uint32_t>> origins_;
  double cutoff_ = kInfinity;
  double dropped_ = kInfinity;
  std::size_t looked_ = 0;
};

}  // namespace

TreeResult SearchByLists(const Core& core, const Node& root, double gap, Incumbent start, std::size_t most,
                         Monitor& monitor) {
  return Lists(core, root, gap, std::move(start), most, monitor).Result();
}

}  // namespace bitplan::search
