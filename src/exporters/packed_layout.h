#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bitplan/network.h"
#include "bitplan/plan.h"

namespace bitplan::exporters {

/// What a tensor of a packed file holds.
enum class PackedRole {
  Weight,       ///< codes, ⌈count · bits / 8⌉ bytes; or float16, bfloat16 or float32
  WeightScale,  ///< of codes: float32; of power-of-two scales a byte, exponent + 127; of double-quantized ones an E4M3
                ///< byte
  ScaleBlock,   ///< float32, of double-quantized scales
  ScaleOffset,  ///< float32 [1], of double-quantized scales
  WeightNegativeScale,  ///< float32, of learned ternary codes: the scale of −1
  WeightZeroPoint,      ///< one a scale, of asymmetric codes: a byte, int32 of 16 bits
  InputScale,           ///< float32 [1]
  InputZeroPoint,       ///< of asymmetric inputs: a byte, int32 of 16 bits
  InputOffset,          ///< float32 [1], of learned ranges that have one: taken off before rounding
  OutlierColumns,       ///< int32, of a weight: the inputs that stay in float16, here and in the layer's input
  OutlierValues,        ///< float16 [out, columns]: their weights
  OutputShift,          ///< float32 [channels]: what the channel correction adds where the layer has no bias
  Parameter,            ///< any other parameter of the network, as it is
};

/// One tensor of a packed file, and what its header says of it.
struct PackedTensor {
  PackedRole role = PackedRole::Parameter;
  std::string name;
  std::string type;  ///< as safetensors names it: F32, F16, U8 …
  std::vector<std::int64_t> shape;
  std::int64_t element_size = 1;
  int index = -1;  ///< of the layer, the input site or the parameter

  std::int64_t Bytes() const;
  std::string Entry(std::int64_t begin, std::int64_t end) const;  ///< in the header; as long for any offsets
};

/// What a decoder needs to know beside the tensors, under __metadata__ in the header.
struct PackedNote {
  std::string key, value;

  std::string Entry() const;
};

struct PackedPart {
  std::vector<PackedTensor> tensors;
  std::vector<PackedNote> notes;

  std::int64_t Bytes() const;  ///< of the tensors and their entries in the header
};

/// What does not depend on the plan.
PackedPart FixedPart(const Network& network);
/// What one layer adds: its weight, the ranges of the inputs that it is the first to read, its shift.
PackedPart LayerPart(const Network& network, std::size_t layer, const LayerPlan& plan, bool channel_correction);

/// What the plan's operands add: their ranges.
PackedPart OperandPart(const Network& network, const std::vector<OperandPlan>& operands);

constexpr std::int64_t kHeaderLengthBytes = 8;
std::string HeaderText(const std::vector<std::string>& notes, const std::vector<std::string>& tensors);

}  // namespace bitplan::exporters
