#include "layout.h"

#include <algorithm>

namespace bitplan::decode {

std::uint64_t ReadUnsigned(std::span<const std::uint8_t> bytes, std::endian order) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    value = value << 8 | bytes[order == std::endian::big ? i : bytes.size() - 1 - i];
  }
  return value;
}

void MakeNative(Array& array, std::endian order) {
  const auto size = static_cast<std::ptrdiff_t>(ElementSize(array.type));
  if (order == std::endian::native || size == 1) return;
  for (auto element = array.bytes.begin(); element != array.bytes.end(); element += size) {
    std::reverse(element, element + size);
  }
}

void MakeRowMajor(Array& array) {
  const std::size_t axes = array.shape.size();
  if (axes < 2 || array.bytes.empty()) return;
  const std::size_t size = ElementSize(array.type);
  std::vector<std::size_t> stride(axes, size);  // in bytes, of the column-major source
  for (std::size_t axis = 1; axis < axes; ++axis) {
    stride[axis] = stride[axis - 1] * static_cast<std::size_t>(array.shape[axis - 1]);
  }
  std::vector<std::uint8_t> row_major(array.bytes.size());
  std::vector<std::int64_t> index(axes, 0);
  std::size_t source = 0;
  for (std::size_t target = 0; target < row_major.size(); target += size) {
    std::copy_n(&array.bytes[source], size, &row_major[target]);
    // Count `index` up, last axis first, and move `source` along with it.
    for (std::size_t axis = axes; axis-- > 0;) {
      source += stride[axis];
      if (++index[axis] < array.shape[axis]) break;
      source -= stride[axis] * static_cast<std::size_t>(array.shape[axis]);
      index[axis] = 0;
    }
  }
  array.bytes = std::move(row_major);
}

}  // namespace bitplan::decode
