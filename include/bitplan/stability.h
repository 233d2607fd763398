#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bitplan/cost.h"
#include "bitplan/search.h"
#include "bitplan/sensitivity.h"
#include "bitplan/statistics.h"

namespace bitplan {

/// What would have come of other samples: a bootstrap over them (Efron 1979).
struct BootstrapStability {
  std::int64_t resamples = 0;
  double best = 0;           ///< share of the resamples in which the plan is the best one, to a relative 1e-4
  double regret = 0;         ///< mean over the resamples of how much the plan's predicted loss is above the best one's, relative to that
  std::map<std::string, double> kept;  ///< of each layer, the share of the resamples whose best plan gives it the same widths
};

struct StabilityOptions {
  BootstrapOptions bootstrap = {.resamples = 100};
  ProgressCallback progress = {};
};

/// With the figures of the table, and their standard errors, of a resample of its samples. Throws Error where there is not one count a sample.
Sensitivity Resample(Sensitivity sensitivity, const Contributions& table, const SampleCounts& counts);

/// Makes and solves the problem again on each resample, and compares with `choices`, the plan of the problem on all samples. Nothing where
/// the measure has no contributions of samples, or the problem is a joint one.
std::optional<BootstrapStability> ResamplePlan(const Sensitivity& sensitivity, const ProblemOptions& problem, const SearchOptions& search,
                                      const std::vector<std::size_t>& choices, const StabilityOptions& options = {});

}  // namespace bitplan
