#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "bitplan/curvature.h"
#include "curvature/batch_gradient.h"
#include "curvature/variable_slots.h"

namespace bitplan::hessian {

/// Hutchinson's probes vᵀHv of several layers at once, by number: a probe is the same whichever are taken before it.
/// They are best taken in blocks, so that every batch's graph is built once a block.
class TraceProbes {
 public:
  /// `loss` must outlive it. Throws Error as HessianOperator does.
  TraceProbes(const LossFunction& loss, const Variables& variables, const TraceOptions& options);

  /// Of probes first … last − 1 each layer's v_lᵀ (Hv)_l, [probes, layers].
  std::vector<double> Take(int first, int last);

 private:
  void AddBatch(std::size_t batch, int first, int last, std::vector<std::vector<double>>& forms);

  const LossFunction& loss_;
  const VariableSlots slots_;
  TraceOptions options_;
  std::optional<BatchGradient> only_batch_;  // its graph is kept when there is one batch
};

/// Each layer's trace from [probes, layers], at least two probes.
std::vector<TraceEstimate> TracesOfProbes(const std::vector<double>& forms, std::size_t layers);

/// Whether every standard error is within `tolerance` of its trace.
bool PreciseEnough(const std::vector<TraceEstimate>& estimates, double tolerance);

}  // namespace bitplan::hessian
