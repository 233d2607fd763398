#pragma once

#include <cstddef>
#include <cstdint>

/// Numbers that were chosen, by reasons or by trying, and none that a format or a formula says.
namespace bitplan::decode::tuning {

/// Bytes that are inflated at a time: above the windows of the formats, and small beside any sample.
inline constexpr std::size_t kGzipChunk = std::size_t{1} << 16, kZipChunk = std::size_t{1} << 18;

/// Bytes of a safetensors header, ten times those of the longest found: its values take some 50 times as much in
/// memory.
inline constexpr std::uint64_t kSafetensorsHeader = std::uint64_t{1} << 24;

}  // namespace bitplan::decode::tuning
