#pragma once

#include <cstdint>
#include <vector>

#include "bitplan/analyze.h"
#include "bitplan/data.h"
#include "bitplan/network.h"
#include "bitplan/sensitivity.h"
#include "quantize/quantized_weights.h"

namespace bitplan::hessian {

/// The layers with their shapes and work, and their choices with every figure still 0.
std::vector<LayerSensitivity> LayerFacts(const Network& network, const Dataset& data, const AnalyzeOptions& options);

/// What every width does to every layer's weight.
void AddWeightChoices(const Network& network, const quantize::QuantizedWeights& weights,
                      std::vector<LayerSensitivity>& layers);

/// What every width does to every layer's input, over all samples. Returns the elements of each layer's input for one
/// sample.
std::vector<std::int64_t> AddActivationChoices(const Network& network, const Dataset& data,
                                               const AnalyzeOptions& options, std::vector<LayerSensitivity>& layers);

}  // namespace bitplan::hessian
