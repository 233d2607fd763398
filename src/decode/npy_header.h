#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "decode/array.h"
#include "decode/byte_source.h"

namespace bitplan::decode {

/// What stands before the elements of a .npy file.
struct NpyHeader {
  ElementType type = ElementType::UInt8;
  std::endian order = std::endian::native;
  bool fortran_order = false;  ///< column-major
  std::vector<std::int64_t> shape;
  std::size_t size = 0;  ///< of magic, version, length and header, in bytes: where the elements begin
};

/// Format versions 1.0, 2.0 and 3.0. `source` begins with it, `where` begins the messages. Throws Error: not such a
/// file, a header that is cut off or malformed, element types other than boolean, integers of up to 8 bytes (unsigned
/// ones of up to 4) and floats. Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
NpyHeader ReadNpyHeader(const ByteSource& source, const std::string& where);

}  // namespace bitplan::decode
