#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "decode/array.h"
#include "decode/byte_source.h"
#include "decode/placed_array.h"

namespace bitplan::decode {

/// One NumPy array (.npy) of format version 1.0, 2.0 or 3.0, in either axis order and byte order. `where` begins the
/// messages. Throws Error: not such a file, a header that is cut off or malformed, element types other than boolean,
/// integers of up to 8 bytes (unsigned ones of up to 4) and floats, missing or excess bytes after the header.
PlacedArray PlaceNpy(std::shared_ptr<const ByteSource> source, const std::string& where);

/// The same, read.
Array DecodeNpy(std::vector<std::uint8_t> bytes, const std::string& where);

}  // namespace bitplan::decode
