#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "onnx/model_editor.h"

namespace bitplan::onnx {

/// Codes and what they stand for: scale (q − zero point).
struct CodedTensor {
  std::string name;                      ///< of the weight; what is made for it is called NAME_quantized, NAME_scale, …
  ElementType type = ElementType::Int8;  ///< of codes and zero points: of integers or float8
  std::vector<std::int64_t> shape;
  std::vector<std::byte> codes;  ///< as NewTensor::bytes
  /// One for all, one a channel along `axis`, or one a block: then shape's sizes, that along `axis` divided by
  /// `block_size` and rounded up.
  std::vector<float> scales;
  std::vector<std::byte> zero_points = {};  ///< one a scale; empty: 0
  std::int64_t axis = 0;
  std::int64_t block_size = 0;            ///< 0: no blocks
  std::vector<std::int64_t> result = {};  ///< shape of the values, where it is not that of the codes
};

/// The least operator set that has a DequantizeLinear for it.
std::int64_t OpsetOf(const CodedTensor& tensor);
std::int64_t OpsetOf(ElementType type);

/// Adds the codes, and what makes their values, in type `as`, in the graph that `beside` stands in. Returns the values'
/// name.
std::string AddValues(ModelEditor& editor, const std::string& beside, const CodedTensor& tensor,
                      ElementType as = ElementType::Float);

/// The same of floating-point values, of the tensor's type.
std::string AddValues(ModelEditor& editor, const std::string& beside, const NewTensor& tensor,
                      ElementType as = ElementType::Float);

/// A grid of integers for an activation: scale (q − zero point), q = round(x / scale) + zero point.
struct ActivationGrid {
  ElementType type = ElementType::Uint8;  ///< Float16 and Bfloat16: rounded to those
  float scale = 1;
  std::int64_t zero_point = 0;
  /// The least and the largest value, of a grid that is narrower than its type.
  std::optional<std::pair<float, float>> range = {};
  float offset = 0;                             ///< taken off before rounding
  ElementType value_type = ElementType::Float;  ///< of the value, in the file

  bool operator==(const ActivationGrid&) const = default;
};

/// Puts the value on the grid for those that read it, which stand in one graph. Returns the name of what they are to
/// read.
std::string AddGrid(ModelEditor& editor, const std::vector<std::string>& readers, const std::string& value,
                    const ActivationGrid& grid);

/// float values, little-endian.
std::vector<std::byte> BytesOf(const std::vector<float>& values);

}  // namespace bitplan::onnx
