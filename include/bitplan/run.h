#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "bitplan/analyze.h"
#include "bitplan/cost.h"
#include "bitplan/data.h"
#include "bitplan/network.h"
#include "bitplan/plan.h"
#include "bitplan/progress.h"
#include "bitplan/quantize.h"
#include "bitplan/search.h"
#include "bitplan/sensitivity.h"

namespace bitplan {

struct RunOptions {
  AnalyzeOptions analyze;  ///< `measures` is set to {`problem.measure`} and what it is shrunk towards
  ProblemOptions problem;
  std::vector<CostTable> costs;  ///< beside those of NetworkCosts (bitplan/profile.h), or in their place
  SearchOptions search;
  QuantizeOptions quantize;
  std::int64_t resamples = 100;  ///< for the plan's stability, see ResamplePlan; 0 leaves it out, else ≥ 2
  bool channel_correction = true;
  std::int64_t calibration_samples = 512;  ///< of the data, for ranges and the channel correction; all when there are fewer
  ProgressCallback progress;               ///< for every stage

  void Validate() const;  ///< throws Error
};

/// All that a run found out. Without a plan within the budgets, `solution` says why and the rest is empty.
struct RunResult {
  Sensitivity sensitivity;
  Problem problem;
  Solution solution;
  Plan plan;  ///< with `measured`
  EvaluationReport evaluation;
  std::vector<QuantizedNetwork> quantized;  ///< the planned network: one, or none without a plan
};

/// The whole way: analyzes the network on `data`, searches, quantizes, and measures the plan beside the float network and the
/// widest uniform plan within the same budgets on `test`.
RunResult Run(const Network& network, const Dataset& data, const Dataset& test, const RunOptions& options);

}  // namespace bitplan
