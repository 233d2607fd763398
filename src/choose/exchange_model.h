#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <vector>

#include "bitplan/problem.h"
#include "bitplan/progress.h"
#include "plan_meter.h"
#include "trials.h"

namespace bitplan::choose {

/// What changes of a plan do to each sample's divergence from the float network, one alone and two together.
struct ChangeEffects {
  at::Tensor own;  ///< float64 [changes, samples]: of one, exact
  /// float64 [changes, samples, …]: two do Σ shiftsᵢ shiftsⱼ = δᵢᵀ H δⱼ beyond their own, H the divergence's curvature
  /// in the plan's output.
  at::Tensor shifts;
};

/// Of outputs [samples, …], on the CPU; `changed` has one for each change. `labels` may be undefined.
ChangeEffects EffectsOf(const Criterion& divergence, const at::Tensor& float_output, const at::Tensor& output,
                        const std::vector<at::Tensor>& changed, const at::Tensor& labels);

/// Exchanges of one change or two, of different groups, that leave a plan allowed, the best first. Of hundreds, the
/// noise of the samples would put the wrong ones first: the mean effects are shrunk by their standard errors towards
/// what the problem predicts, times one factor for all (Shrink; the problem need not predict in the same unit).
std::vector<Exchange> RankedExchanges(const Problem& problem, const std::vector<std::size_t>& choices,
                                      const std::vector<Change>& changes, const ChangeEffects& effects);

/// Measures every change to a neighbor alone, and ranks exchanges.
std::vector<Exchange> PredictExchanges(const PlanMeter& meter, const Problem& problem,
                                       const std::vector<std::size_t>& choices, const ProgressCallback& progress);

}  // namespace bitplan::choose
