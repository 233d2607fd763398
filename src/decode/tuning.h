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

/// Scans of a progressive JPEG image, and what libjpeg may take for one, in bytes: above all that is seen in the wild.
inline constexpr int kJpegScans = 500;
inline constexpr long kJpegBytes = 1L << 30;

/// Of a PNG image's text, profiles and the like, which are not used.
inline constexpr unsigned long kPngChunkBytes = 8UL << 20, kPngChunks = 1000;

/// Records of a CIFAR file that are read at a time for their labels: some 800 kB.
inline constexpr std::uint64_t kCifarRecords = 256;

/// Levels of values within values in a pickle, and of types within types: ten times what models have, and a hundredth
/// of what ends the stack of a thread.
inline constexpr int kPickleDepth = 500, kTypeDepth = 50;

/// Values of a pickle, 150 bytes each while it is checked, also where shared ones are counted as often as they are
/// contained: walks go through them one by one.
inline constexpr double kPickleValues = 5e6;

/// Elements and axes of one tensor.
inline constexpr std::int64_t kMostElements = std::int64_t{1} << 48;
inline constexpr std::size_t kMostAxes = 64;

/// Tensors may have some times the elements that the file has, as tied and expanded ones do, and so many beside.
inline constexpr double kExpansion = 16, kExpandedElements = 1 << 26;

}  // namespace bitplan::decode::tuning
