#pragma once

#include <cstddef>

/// Numbers that were chosen, by reasons or by trying, and none that a format or a formula says.
namespace bitplan::decode::tuning {

/// Bytes that are inflated at a time: above the windows of the formats, and small beside any sample.
inline constexpr std::size_t kGzipChunk = std::size_t{1} << 16, kZipChunk = std::size_t{1} << 18;

}  // namespace bitplan::decode::tuning
