#pragma once

#include "bitplan/data.h"
#include "bitplan/network.h"
#include "bitplan/train.h"

namespace bitplan::train {

/// Loss and right predictions of a batch.
struct BatchLoss {
  at::Tensor loss;                          ///< float64 scalar, differentiable in the output
  std::int64_t right = 0, predictions = 0;  ///< 0 without labels, and of values
};

/// (1 − w) · loss of the labels + w · divergence from the float network at temperature T (Hinton et al. 2015), both for
/// what `criterion` says that outputs are (Criterion::WithLabels, Loss::Divergence); w and T are the options'
/// distillation and temperature. Throws Error where labels do not fit the output.
BatchLoss LossOf(const Criterion& criterion, const at::Tensor& output, const Batch& batch, const Network& float_network,
                 const TrainOptions& options);

}  // namespace bitplan::train
