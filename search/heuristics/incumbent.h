#pragma once

#include <vector>

#include "search/core.h"

namespace bitplan::search {

/// The best plan so far.
struct Incumbent {
  std::vector<std::size_t> choices;  ///< indices in the problem, one a group; empty: none yet
  double value = kInfinity;          ///< Core::Value, the same for every core of a problem under one goal

  /// Takes `plan` over when it is better. Returns whether it was.
  bool Offer(const Core& core, const CorePlan& plan);

  /// A relaxation with a bound of at least this has no plan worth finding: none that is better by more than the
  /// relative `gap`, or by more than rounding (1e-12 of the loss).
  double Cutoff(const Core& core, double gap) const;
};

}  // namespace bitplan::search
