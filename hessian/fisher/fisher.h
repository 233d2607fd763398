#pragma once

#include <vector>

#include "bitplan/analyze.h"
#include "bitplan/gauss_newton.h"
#include "quantize/quantized_weights.h"

namespace bitplan::hessian {

/// Adds Measure::Fisher to every choice of the layers. `matrix` is that of all layers, in their order. Inputs that
/// several layers read are the first one's figure, the others' is 0.
void AddFisher(const Network& network, const Dataset& data, const quantize::QuantizedWeights& weights,
               const AnalyzeOptions& options, const GaussNewton& matrix, std::vector<LayerSensitivity>& layers);

}  // namespace bitplan::hessian
