#pragma once

#include <ATen/core/Tensor.h>

#include "bitplan/data.h"
#include "bitplan/loss.h"
#include "bitplan/network.h"
#include "bitplan/progress.h"
#include "hessian/loss_rows.h"

namespace bitplan {

/// The rows that the loss's curvature in the outputs is made of, from the float network's outputs of all samples.
/// `loss` is not Auto; `rows` and `cut` as in GaussNewtonOptions. Throws Error where an output or the loss is not
/// finite, naming the samples.
LossCurvature CurvatureInOutputs(const Network& network, const Dataset& data, Loss loss, double temperature, int rows,
                                 double cut, std::uint64_t seed, const ProgressCallback& progress);

}  // namespace bitplan
