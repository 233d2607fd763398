#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "bitplan/data.h"
#include "bitplan/loss.h"
#include "bitplan/progress.h"
#include "gauss_newton/loss_rows.h"

namespace bitplan::hessian {

/// The float network's output for some inputs, in float32 and without gradients.
using OutputsOf = std::function<at::Tensor(const std::vector<at::Tensor>& inputs)>;

/// The rows that the loss's curvature in the outputs is made of, from the outputs of all samples, computed in batches
/// that the memory limit allows. `rows` and `cut` as in GaussNewtonOptions. Throws Error where an
/// output or the loss is not finite, naming the samples.
LossCurvature CurvatureInOutputs(const OutputsOf& outputs_of, at::Device device, std::int64_t memory_bytes,
                                 const Dataset& data, const Criterion& criterion, int rows, double cut,
                                 std::uint64_t seed, const ProgressCallback& progress);

}  // namespace bitplan::hessian
