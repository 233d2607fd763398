#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bitplan/export.h"
#include "onnx/model.h"

namespace bitplan::exporters {

/// What a tool takes of an ONNX file with QuantizeLinear and DequantizeLinear.
struct OnnxFlavor {
  std::string name;
  ExporterTraits traits;
  std::vector<onnx::ElementType> weight_types;  ///< of codes, the narrowest first
  std::vector<onnx::ElementType> block_types;   ///< the same of weights with a scale a block
  std::vector<onnx::ElementType> input_types;   ///< of activations' codes
  /// The least bits of a type of weights whose layer's input is quantized.
  int least_bits_beside_inputs = 2;
  bool reshapes = false;  ///< whether codes may be reshaped behind DequantizeLinear, for blocks across axes
};

/// The first is the default.
const std::vector<OnnxFlavor>& OnnxFlavors();

/// Empty: the first.
const OnnxFlavor& FlavorNamed(std::string_view name);

/// The flavor as it is for layers whose inputs are quantized.
OnnxFlavor BesideInputs(const OnnxFlavor& flavor);

/// The narrowest of the types that has all codes from `least` to `largest`; Undefined where there is none.
onnx::ElementType TypeFor(const std::vector<onnx::ElementType>& types, std::int64_t least, std::int64_t largest,
                          bool is_signed);

/// The codes that an integer type has.
struct CodeRange {
  std::int64_t least = 0, largest = 0;
};
CodeRange RangeOf(onnx::ElementType type);

}  // namespace bitplan::exporters
