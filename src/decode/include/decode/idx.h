#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "decode/array.h"
#include "decode/byte_source.h"
#include "decode/placed_array.h"

namespace bitplan::decode {

/// IDX (the format of MNIST), also gzip-compressed: two zero bytes, a type byte, the number of axes, each axis' length
/// as a big-endian 32-bit number, then the big-endian elements. `file` is named in messages. Throws Error: not such a
/// file, damaged or truncated, bytes after the last element. Source: http://yann.lecun.com/exdb/mnist/
Array DecodeIdx(std::vector<std::uint8_t> bytes, const std::string& file);

/// The same of a file that is not compressed, left where it is.
PlacedArray PlaceIdx(std::shared_ptr<const ByteSource> source, const std::string& file);

/// Whether the source begins as a gzip file does.
bool IsGzip(const ByteSource& source);

/// What the elements of a gzip-compressed IDX file take, as its header says; only the header is read. Throws Error as
/// DecodeIdx does.
std::size_t InflatedIdxBytes(const ByteSource& source, const std::string& file);

}  // namespace bitplan::decode
