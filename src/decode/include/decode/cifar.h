#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "decode/array.h"
#include "decode/byte_source.h"
#include "decode/placed_array.h"

namespace bitplan::decode {

/// Images with their labels.
struct LabeledImages {
  Array images;  ///< uint8 [n, 3, 32, 32], red, green, blue
  Array labels;  ///< int64 [n]
};

/// The same, the images left where they are.
struct PlacedImages {
  PlacedArray images;
  Array labels;
};

/// CIFAR-10 binary version: records of a label byte (0 … 9) and 3,072 pixel bytes. `file` is named in messages. Throws
/// Error: no record, a record cut off, a label out of range. Source: https://www.cs.toronto.edu/~kriz/cifar.html
LabeledImages DecodeCifar10(std::span<const std::uint8_t> bytes, const std::string& file);

/// CIFAR-100 binary version: a coarse label byte (0 … 19) and a fine one (0 … 99, the label) before the pixels.
LabeledImages DecodeCifar100(std::span<const std::uint8_t> bytes, const std::string& file);

PlacedImages PlaceCifar10(std::shared_ptr<const ByteSource> source, const std::string& file);
PlacedImages PlaceCifar100(std::shared_ptr<const ByteSource> source, const std::string& file);

}  // namespace bitplan::decode
