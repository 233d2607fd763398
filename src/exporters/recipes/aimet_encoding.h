#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "bitplan/export.h"
#include "recipes/tensor_names.h"

namespace bitplan::exporters {

/// A grid of integers as AIMET has it, of one tensor.
struct AimetEncoding {
  std::string name;
  int bits = 8;
  bool is_signed = false;  ///< −2^{b−1} … 2^{b−1} − 1, zero point 0; else 0 … 2^b − 1
  std::vector<double> scales, zero_points;
  int axis = -1;                    ///< of channels; −1: one scale a tensor
  std::int64_t block_size = 0;      ///< along the input axis, 0: none
  int block_axis = 1;               ///< of blocks
  std::vector<std::int64_t> shape;  ///< of the scales, of blocks
};

/// Throws Error naming the layer where its groups are not blocks along the input axis.
AimetEncoding WeightEncoding(const QuantizedNetwork& network, std::size_t layer, const NamedWeight& name);
AimetEncoding InputEncoding(const QuantizedInput& input, std::string name);

/// Lists of dictionaries, one a scale, by which AIMET names what is in a module.
nlohmann::ordered_json TorchForm(const AimetEncoding& encoding);
nlohmann::ordered_json FirstForm(const AimetEncoding& encoding);   ///< 1.0.0
nlohmann::ordered_json SecondForm(const AimetEncoding& encoding);  ///< 2.0.0, in which ONNX says it

}  // namespace bitplan::exporters
