#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bitplan/agent.h"
#include "bitplan/analyze.h"
#include "bitplan/choose.h"
#include "bitplan/cost.h"
#include "bitplan/data.h"
#include "bitplan/network.h"
#include "bitplan/plan.h"
#include "bitplan/progress.h"
#include "bitplan/quantize.h"
#include "bitplan/search.h"
#include "bitplan/sensitivity.h"

namespace bitplan {

/// What stages share is said here once. Where the options of a stage have the same (`analyze.seed`, `choose.quantize`,
/// `agent.certificate`, …) they follow from these, and where they follow from what is asked for (`analyze.measures`
/// from `problem.measure`): leave them as they are. Error says so where one is set to another value.
struct RunOptions {
  std::uint64_t seed = 0;                                  ///< of the analysis and the resamples; the agent has its own
  std::int64_t batch_size = QuantizeOptions().batch_size;  ///< of all passes over samples, ≥ 1
  std::int64_t memory_bytes = QuantizeOptions().memory_bytes;  ///< of all passes, > 0, as in PassLimits
  AnalyzeOptions analyze;
  ProblemOptions problem;
  std::vector<CostTable> costs;  ///< beside those of NetworkCosts (bitplan/profile.h), or in their place
  SearchOptions search;
  std::vector<std::shared_ptr<const SearchAlgorithm>> searches;  ///< of one's own, to be named by `search.method`
  AgentOptions agent;                                            ///< for the method agent
  bool measured_reward = false;  ///< the agent minimizes the mean divergence that plans have on the held-out samples,
                                 ///< not the predicted loss
  ChooseOptions choose;          ///< whether, and how, measured losses decide in the end
  QuantizeOptions quantize;
  std::int64_t resamples = 100;  ///< for the plan's stability, see ResamplePlan; 0 leaves it out, else ≥ 2
  Corrections corrections;  ///< of the plan; plans that are compared by measuring have the output correction alone,
                            ///< channel or none
  std::int64_t calibration_samples =
      512;                    ///< of the data, for ranges and the channel correction; all when there are fewer
  ProgressCallback progress;  ///< for every stage that has none of its own

  void Validate() const;  ///< throws Error
};

/// All that a run found out. Without a plan within the budgets, `solution` says why and the rest is empty.
struct RunResult {
  Sensitivity sensitivity;
  Problem problem;
  Solution solution;
  std::vector<AgentEpisode> episodes;  ///< of the method agent
  std::optional<MeasuredChoice>
      choice;  ///< where options.choose asks for one; `solution` is then what was chosen, with the search's bound
  Plan plan;   ///< with `measured`
  EvaluationReport evaluation;
  std::vector<QuantizedNetwork> quantized;  ///< the planned network: one, or none without a plan
};

/// The whole way: analyzes the network on `data`, searches, quantizes, and measures the plan beside the float network
/// and the widest uniform plan within the same budgets on `test`. `held_out`: samples for measured losses that are
/// neither in `data` nor in `test`; Error where options ask for measured losses and there are none.
RunResult Run(const Network& network, const Dataset& data, const Dataset& test, const RunOptions& options,
              const std::optional<Dataset>& held_out = std::nullopt);

}  // namespace bitplan
