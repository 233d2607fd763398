#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "decode/array.h"

namespace bitplan::decode {

/// One NumPy array (.npy), in either axis order and byte order. `where` begins the messages. Throws Error: as
/// ParseNpyHeader, and for missing or excess bytes after the header.
Array DecodeNpy(std::vector<std::uint8_t> bytes, const std::string& where);

}  // namespace bitplan::decode
