#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <vector>

#include "bitplan/problem.h"
#include "bitplan/progress.h"
#include "choose/plan_meter.h"
#include "choose/trials.h"

namespace bitplan {

/// What changes of a plan do to the mean divergence from the float network, one alone and two together.
struct ChangeEffects {
  at::Tensor own;    ///< float64 [changes]: exact
  at::Tensor cross;  ///< float64 [changes, changes]: δᵢᵀ H δⱼ, H the divergence's curvature in the logits of the plan; its diagonal has no meaning
};

/// All logits are [rows, classes]; `changed` has one for each change.
ChangeEffects EffectsOf(const at::Tensor& float_logits, const at::Tensor& logits, const std::vector<at::Tensor>& changed);

/// Exchanges of one change or two, of different groups, that leave a plan allowed, the best first.
std::vector<Exchange> RankedExchanges(const Problem& problem, const std::vector<std::size_t>& choices, const std::vector<Change>& changes,
                                      const ChangeEffects& effects);

/// Measures every change to a neighbor alone, and ranks exchanges.
std::vector<Exchange> PredictExchanges(const PlanMeter& meter, const Problem& problem, const std::vector<std::size_t>& choices,
                                       const ProgressCallback& progress);

}  // namespace bitplan
