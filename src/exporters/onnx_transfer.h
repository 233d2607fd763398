#pragma once

#include "onnx_patch.h"

namespace bitplan::exporters {

/// What a plan made of one file's network as it is for another file of the same network, `network`: layers are known
/// by name where the weights are the same, then by their weights' values. Throws Error naming the layer or operand
/// that has no counterpart, or one of another shape.
PlannedTensors TransferTo(const Network& network, const QuantizedNetwork& quantized);

}  // namespace bitplan::exporters
