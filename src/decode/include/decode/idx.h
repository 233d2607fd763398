#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "decode/array.h"

namespace bitplan::decode {

/// IDX (the format of MNIST), also gzip-compressed: two zero bytes, a type byte, the number of axes, each axis' length
/// as a big-endian 32-bit number, then the big-endian elements. `file` is named in messages. Throws Error: not such a
/// file, damaged or truncated, bytes after the last element. Source: http://yann.lecun.com/exdb/mnist/
Array DecodeIdx(std::vector<std::uint8_t> bytes, const std::string& file);

}  // namespace bitplan::decode
