#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "bitplan/problem.h"
#include "bitplan/search.h"

namespace bitplan {

/// The best plan with at least `distance` ≥ 1 choices other than in each of `others`, and the bound on all such plans.
/// Throws Error as Search does, when `distance` is out of range, and unless each of `others` has one choice for each
/// group.
Solution BestOtherPlan(const Problem& problem, const std::vector<std::vector<std::size_t>>& others,
                       std::size_t distance, const SearchOptions& options);

/// The `count` ≥ 1 best plans, best first, each with at least `distance` choices other than in any before it: with 1
/// the optimum, the runner-up and so on; with more, plans that are structurally different. Each carries the bound on
/// all plans that far from those before it. Fewer where there are no more; the first is infeasible, or unknown, where
/// Search says so. `options.time_limit_seconds` is for all together. Throws Error as Search does, and when `count` or
/// `distance` is out of range.
std::vector<Solution> BestPlans(const Problem& problem, std::size_t count, std::size_t distance,
                                const SearchOptions& options);

struct NoiseOptions {
  std::int64_t draws = 100;  ///< ≥ 1
  std::uint64_t seed = 0;

  void Validate() const;  ///< throws Error
};

/// How much of a plan is settled, given that its objectives are known only to their standard errors.
struct NoiseChanges {
  std::int64_t draws = 0;  ///< that were solved; fewer than asked for when the time was up
  std::vector<double>
      changes;  ///< by group, 0 … 1: the share of the draws whose plan has another choice there; 0 without draws
};

/// Draws every objective anew from a normal distribution around it, with its standard error, independently of the
/// others; solves each such problem and compares its plan with `choices`. Throws Error as Search does, and unless there
/// is one choice for each group.
NoiseChanges ChangesUnderNoise(const Problem& problem, const std::vector<std::size_t>& choices,
                               const NoiseOptions& noise, const SearchOptions& options);

/// What an answer hangs on, beside its shadow prices.
struct Robustness {
  std::optional<Solution> runner_up;  ///< the best other plan; none when there is no other, or none was found in time
  NoiseChanges noise;
};

/// Both for a `solution` that has choices.
Robustness RobustnessOf(const Problem& problem, const Solution& solution, const NoiseOptions& noise,
                        const SearchOptions& options);

}  // namespace bitplan
