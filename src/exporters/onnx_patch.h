#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <map>
#include <set>
#include <vector>

#include "bitplan/quantize.h"
#include "onnx/model.h"
#include "onnx/model_editor.h"
#include "onnx_flavor.h"

namespace bitplan::exporters {

/// What a plan made of the network that an ONNX file holds.
struct PlannedTensors {
  std::vector<QuantizedTensor> weights;  ///< as Network::layers()
  std::vector<at::Tensor> parameters;    ///< as Network::parameters()
  std::set<std::size_t> changed;         ///< parameters that are not as the file has them, weights aside
  std::map<int, QuantizedInput> inputs;  ///< as QuantizedNetwork::inputs()
  std::map<int, at::Tensor> shifts;      ///< as QuantizedNetwork::shifts()
};

/// Puts them into the file. `network` was read from it, and `model` is what it holds. Throws Error, which names layer
/// or site, the flavor and the reason, where there is no place for one of them.
void PatchModel(const Network& network, const PlannedTensors& planned, const OnnxFlavor& flavor,
                const onnx::Model& model, onnx::ModelEditor& editor);

}  // namespace bitplan::exporters
