#pragma once

#include <cstdint>
#include <vector>

#include "bitplan/analyze.h"
#include "bitplan/data.h"
#include "bitplan/network.h"
#include "bitplan/sensitivity.h"
#include "files/journal.h"
#include "quantize/quantized_weights.h"

namespace bitplan::hessian {

/// Adds curvature that needs second derivatives, of inputs and, with `exact_hessian`, of weights, where measures need
/// it. `input_elements`: of each layer's input for one sample; empty where no input is quantized.
void AddHessians(const Network& network, const Dataset& data, const AnalyzeOptions& options,
                 const std::vector<std::int64_t>& input_elements, files::Journal& journal,
                 std::vector<LayerSensitivity>& layers);

/// Adds what follows from the Gauss-Newton matrix in weights: curvature, and the figures of its diagonal, where
/// measures need them.
void AddGaussNewton(const Network& network, const Dataset& data, const quantize::QuantizedWeights& weights,
                    const AnalyzeOptions& options, files::Journal& journal, std::vector<LayerSensitivity>& layers);

}  // namespace bitplan::hessian
