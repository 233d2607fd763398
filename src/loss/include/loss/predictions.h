#pragma once

#include <ATen/core/Tensor.h>

#include "bitplan/loss.h"

namespace bitplan::loss {

/// Labels that count, as a mask of their shape.
at::Tensor CountedLabels(const at::Tensor& labels);

/// Labels [N, …] of a labelled criterion as [N, predictions], on the output's device, 0 where they are ignored. Throws
/// Error when they are not as many as the output's predictions.
at::Tensor LabelsByPrediction(const at::Tensor& output, const at::Tensor& by_prediction, const at::Tensor& labels);

}  // namespace bitplan::loss
