#pragma once

#include <ATen/core/Tensor.h>

#include "network/lowered_graph.h"
#include "onnx/model.h"

namespace bitplan::network {

/// The graph of an ONNX model, before what all models' graphs go through. Throws Error naming a node that has no
/// meaning here. Detectors end before what suppresses boxes: the outputs are then what that reads.
LoweredGraph OnnxProgramGraph(const onnx::Model& model, const c10::Device& device);

}  // namespace bitplan::network
