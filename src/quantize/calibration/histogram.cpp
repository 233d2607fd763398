#include "quantize/calibration/histogram.h"

#include <algorithm>
#include <cmath>

#include "bitplan/error.h"

namespace bitplan {

namespace {

constexpr std::size_t kHalf = Histogram::kBins / 2;

}  // namespace

void Histogram::Add(std::span<const float> values) {
  if (values.empty()) return;
  float low = values[0], high = values[0], sum = 0;
  for (const float value : values) {
    low = std::min(low, value);
    high = std::max(high, value);
    sum += value * 0.0F;  // NaN as soon as one value is NaN or infinite
  }
  if (!(sum == 0)) throw Error("an activation is NaN or infinite");
  min_ = count_ == 0 ? low : std::min<double>(min_, low);
  max_ = count_ == 0 ? high : std::max<double>(max_, high);
  Cover(std::max(std::abs(static_cast<double>(low)), std::abs(static_cast<double>(high))));
  count_ += static_cast<std::int64_t>(values.size());
  const double per_unit = radius_ > 0 ? static_cast<double>(kHalf) / radius_ : 0;
  for (const float value : values) {
    const auto bin = static_cast<std::int64_t>(static_cast<double>(value) * per_unit + static_cast<double>(kHalf));
    ++bins_[static_cast<std::size_t>(std::clamp<std::int64_t>(bin, 0, kBins - 1))];
  }
}

void Histogram::Cover(double magnitude) {
  // A power of two, so that doubling it is exact. The largest value lies inside, not on the edge.
  if (magnitude < radius_ || magnitude == 0) return;
  const double needed = std::exp2(std::floor(std::log2(magnitude)) + 1);
  if (radius_ == 0) {
    const std::int64_t zeros = count_;  // all values so far were zero
    radius_ = needed;
    bins_[kHalf] = zeros;
    return;
  }
  while (radius_ < needed) {
    std::vector<std::int64_t> merged(kBins);
    for (std::size_t bin = 0; bin < kBins; ++bin) merged[kHalf / 2 + bin / 2] += bins_[bin];
    bins_ = std::move(merged);
    radius_ *= 2;
  }
}

Distribution Histogram::Values() const {
  if (count_ == 0) throw Error("no value was seen that could be calibrated on");
  Distribution distribution;
  distribution.min = min_;
  distribution.max = max_;
  const double width = radius_ / static_cast<double>(kHalf);
  for (std::size_t bin = 0; bin < kBins; ++bin) {
    if (bins_[bin] == 0) continue;
    const double center = (static_cast<double>(bin) + 0.5 - static_cast<double>(kHalf)) * width;
    distribution.values.push_back(std::clamp(center, min_, max_));
    distribution.counts.push_back(static_cast<double>(bins_[bin]));
  }
  return distribution;
}

}  // namespace bitplan
