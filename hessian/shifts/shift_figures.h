#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "bitplan/loss.h"
#include "bitplan/sensitivity.h"
#include "bitplan/statistics.h"

namespace bitplan::hessian {

/// The losses that the shifts of the output are judged by.
struct ShiftJudge {
  at::Tensor logits;    ///< of the float network, [N, output…]
  at::Tensor labels;    ///< undefined where there are none
  Criterion criterion;  ///< its loss is that of Measure::GaussNewton, Quadratic and SingleLoss

  /// What `shift` [N, output…] does to every sample, float64 [N], under one of the measures LogitShift, Divergence,
  /// GaussNewton, Quadratic, SingleLoss.
  at::Tensor OfSamples(Measure measure, const at::Tensor& shift) const;

  /// Mean over the samples.
  Estimate Figure(Measure measure, const at::Tensor& shift) const;
};

/// Mean with its standard error; that of a single sample is 0.
Estimate MeanOfSamples(const std::vector<double>& values);

}  // namespace bitplan::hessian
