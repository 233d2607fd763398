#pragma once

#include "bitplan/data.h"
#include "bitplan/network.h"
#include "bitplan/train.h"

namespace bitplan {

/// Loss and right predictions of a batch.
struct BatchLoss {
  at::Tensor loss;                          ///< float64 scalar, differentiable in the logits
  std::int64_t right = 0, predictions = 0;  ///< 0 without labels
};

/// (1 − w) · cross entropy + w · T² KL(float network ‖ logits) at temperature T (Hinton et al. 2015), w and T the
/// options' distillation and temperature. Throws Error where labels do not fit the logits.
BatchLoss LossOf(const at::Tensor& logits, const Batch& batch, const Network& float_network,
                 const TrainOptions& options);

}  // namespace bitplan
