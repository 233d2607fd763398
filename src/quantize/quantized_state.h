#pragma once

#include <map>

#include "bitplan/quantize.h"
#include "corrections/outliers.h"
#include "quantize/quantized_network.h"

namespace bitplan::quantize {

// What a plan makes of a network's tensors, before corrections.

/// Weights on their grids. Throws Error that names the layer whose format does not fit.
QuantizedState QuantizeWeights(const Network& network, const Plan& plan, const std::map<int, Outliers>& outliers,
                               const ProgressCallback& progress);

/// Whether the range of some input or operand is to be found.
bool CalibratesInputs(const Plan& plan);

/// Adds formats and ranges of inputs and operands. `statistics`: null where the plan knows all ranges that there are.
void QuantizeInputs(const Network& network, const Plan& plan, const ActivationStatistics* statistics,
                    QuantizedState& state);

/// Features that stay in float16, and the range of the rest.
void KeepOutliers(const Network& network, const std::map<int, Outliers>& outliers, QuantizedState& state);

}  // namespace bitplan::quantize
