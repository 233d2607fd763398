#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bitplan::decode {

enum class ElementType { Bool, UInt8, Int8, UInt16, Int16, UInt32, Int32, Int64, Float16, BFloat16, Float32, Float64 };

/// Numbers as a file held them: row-major (the last axis varies fastest), in this machine's byte order.
struct Array {
  ElementType type = ElementType::UInt8;
  std::vector<std::int64_t> shape;  ///< empty for a single number
  std::vector<std::uint8_t> bytes;  ///< exactly ByteCount(type, shape)
};

std::size_t ElementSize(ElementType type);       ///< bytes of one element, 1 … 8
std::string_view ElementName(ElementType type);  ///< NumPy's name, e.g. "float32"

/// Bytes that an array takes. Throws Error, beginning with `where`, for a negative dimension and for one that
/// overflows.
std::size_t ByteCount(ElementType type, const std::vector<std::int64_t>& shape, std::string_view where);

/// "[3, 4]"
std::string ShapeText(const std::vector<std::int64_t>& shape);

/// "1,573,377"
std::string Grouped(std::uint64_t number);

}  // namespace bitplan::decode
