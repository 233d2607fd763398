#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "bitplan/quantize.h"

namespace bitplan {

/// A quantized network as it is written to a file.
struct TorchScriptParts {
  std::vector<QuantizedTensor> weights;     ///< one per layer
  std::vector<at::Tensor> parameters;       ///< all other parameters' values, corrected biases included; Network::parameters() order
  struct Input {
    Format format;
    ActivationRange range;
  };
  std::map<int, Input> inputs;       ///< by LayerInput site: what is fake-quantized
  std::map<int, at::Tensor> shifts;  ///< by LayerOutput site: what is added, in a shape that broadcasts
  std::string plan_json;             ///< stored beside the code as plan.json
};

/// Writes a TorchScript file of standard operators: integer weights as int8 with their scales, turned back into float32 in
/// the graph, and fake-quantize operators on layer inputs. To a temporary file first, then renamed. Throws Error.
void ExportTorchScript(const Network& network, const TorchScriptParts& parts, const std::filesystem::path& file);

}  // namespace bitplan
