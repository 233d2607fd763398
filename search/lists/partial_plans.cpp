#include "lists/partial_plans.h"

#include <algorithm>
#include <cstddef>
#include <limits>

namespace bitplan::search {
namespace {

/// Least values by rank, asked for all ranks up to one (Fenwick 1994).
class LeastUpTo {
 public:
  explicit LeastUpTo(std::size_t ranks) : least_(ranks + 1, std::numeric_limits<double>::infinity()) {}

  double Get(std::size_t rank) const {
    double least = least_[0];
    for (std::size_t i = rank + 1; i > 0; i &= i - 1) least = std::min(least, least_[i]);
    return least;
  }
  void Lower(std::size_t rank, double value) {
    for (std::size_t i = rank + 1; i < least_.size(); i += i & (~i + 1)) least_[i] = std::min(least_[i], value);
  }

 private:
  std::vector<double> least_;
};

}  // namespace

void RemoveBeaten(std::vector<PartialPlan>& plans, double margin) {
  std::vector<double> seconds;
  for (const PartialPlan& plan : plans) seconds.push_back(plan.cost[1]);
  std::sort(seconds.begin(), seconds.end());
  seconds.erase(std::unique(seconds.begin(), seconds.end()), seconds.end());
  LeastUpTo least(seconds.size());
  std::erase_if(plans, [&](const PartialPlan& plan) {
    const auto rank =
        static_cast<std::size_t>(std::lower_bound(seconds.begin(), seconds.end(), plan.cost[1]) - seconds.begin());
    if (least.Get(rank) <= plan.loss + margin) return true;
    least.Lower(rank, plan.loss);
    return false;
  });
}

}  // namespace bitplan::search
