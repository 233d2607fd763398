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
struct Stability {
  std::int64_t resamples = 0;
  double best = 0;  ///< share of the resamples in which the plan is the best one, to a relative 1e-4
  double regret =
      0;  ///< mean over the resamples of how much the plan's predicted loss is above the best one's, relative to that
  double proven = 0;  ///< share of the resamples whose best plan is proven to be that, to a relative 5e-5
  std::map<std::string, double>
      kept;  ///< of each layer, the share of the resamples whose best plan gives it the same widths
};

struct StabilityOptions {
  BootstrapOptions bootstrap = {.resamples = 100};
  ProgressCallback progress = {};
};

/// With the figures of the table, and their standard errors, of a resample of its samples: means over the predictions
/// drawn. Throws Error where there is not one count a sample, or no prediction is drawn.
Sensitivity Resample(Sensitivity sensitivity, const Contributions& table, const SampleCounts& counts);

/// The rows of the samples drawn, each as often as it was; positions of a sequence or image go with their sample, of
/// which `predictions` says how many it has, as in Contributions. Throws Error where there is not one count a sample,
/// or the predictions are not as many as the rows.
OutputShifts Resample(const OutputShifts& shifts, const SampleCounts& counts,
                      const std::vector<std::int64_t>& predictions = {});

/// Makes and solves the problem again on each resample, and compares with `choices`, the plan of the problem on all
/// samples. Nothing where the measure has no contributions of samples.
///
/// A joint problem's shifts are drawn with the figures. CrossTermShare stays that of all samples: a resample holds both
/// their noise and its own, and so takes chance for cross terms. Each resample is searched from `choices` on: local
/// search, then at most 200 nodes of the tree, which is the same on every machine as long as the search's time limit is
/// not reached. Where that ends before a proof, the resample's best plan is the best one found: `best` may then be too
/// high and `regret` too low, the former by at most the share of the resamples that is not `proven`. What none of the
/// samples shows (few of them, or ones that the network was trained on) a bootstrap cannot tell. Samples without a
/// prediction that counts are not drawn.
std::optional<Stability> ResamplePlan(const Sensitivity& sensitivity, const ProblemOptions& problem,
                                      const SearchOptions& search, const std::vector<std::size_t>& choices,
                                      const StabilityOptions& options = {});

}  // namespace bitplan
