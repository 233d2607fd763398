#include "calibration/distribution.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <utility>

#include "bitplan/error.h"
#include "tuning.h"

namespace bitplan::calibration {

namespace {

/// Unsigned integers in the order of the floats: negative ones run backwards, and stand before positive ones.
std::uint32_t KeyOf(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return bits & 0x80000000U ? ~bits : bits | 0x80000000U;
}

float ValueOf(std::uint32_t key) { return std::bit_cast<float>(key & 0x80000000U ? key & 0x7FFFFFFFU : ~key); }

/// Radix sort of 32-bit keys, 11 bits a pass: a layer has one sort a channel and width, and comparing would take most
/// of the time that calibrating weights takes.
std::vector<std::uint32_t> Sorted(std::vector<std::uint32_t> keys) {
  constexpr std::uint32_t kMask = (1U << tuning::kBitsOfDigit) - 1;
  std::vector<std::uint32_t> sorted(keys.size());
  for (int shift = 0; shift < 32; shift += tuning::kBitsOfDigit) {
    std::array<std::size_t, kMask + 1> next{};
    for (const std::uint32_t key : keys) ++next[(key >> shift) & kMask];
    std::size_t position = 0;
    for (std::size_t& count : next) position += std::exchange(count, position);
    for (const std::uint32_t key : keys) sorted[next[(key >> shift) & kMask]++] = key;
    keys.swap(sorted);
  }
  return keys;
}

void Check(std::span<const float> values) {
  if (values.empty()) throw Error("a tensor without elements cannot be calibrated");
  if (!std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); }))
    throw Error("a tensor that holds NaN or an infinite value cannot be calibrated");
}

/// Of ascending values.
void SetExtremes(Distribution& distribution) {
  distribution.min = distribution.values.front();
  distribution.max = distribution.values.back();
  distribution.average = distribution.moving = {distribution.min, distribution.max};
}

}  // namespace

Distribution DistributionOf(std::span<const float> values) {
  Check(values);
  std::vector<std::uint32_t> keys(values.size());
  std::transform(values.begin(), values.end(), keys.begin(), KeyOf);
  if (keys.size() < tuning::kFewToSort)
    std::sort(keys.begin(), keys.end());
  else
    keys = Sorted(std::move(keys));
  Distribution distribution;
  distribution.values.resize(keys.size());
  std::transform(keys.begin(), keys.end(), distribution.values.begin(), ValueOf);
  distribution.counts.assign(keys.size(), 1.0);
  SetExtremes(distribution);
  return distribution;
}

Distribution ExtremesOf(std::span<const float> values) {
  Check(values);
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  Distribution distribution{.values = {*low, *high}, .counts = {1, 1}};
  SetExtremes(distribution);
  return distribution;
}

}  // namespace bitplan::calibration
