#include "calibration/histogram.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "bitplan/error.h"

namespace bitplan::calibration {

namespace {

constexpr std::size_t kHalf = Histogram::kBins / 2;

struct Summary {
  float low = 0, high = 0;
  std::int64_t zeros = 0;
};

/// Throws Error when a value is not finite. Eight lanes side by side, so that the compiler uses vector instructions.
Summary Summarize(std::span<const float> values) {
  constexpr std::size_t kLanes = 8;
  std::array<float, kLanes> low, high, check{};
  std::array<std::int32_t, kLanes> zeros{};
  low.fill(values[0]);
  high.fill(values[0]);
  const auto take = [&](std::size_t lane, float value) {
    low[lane] = value < low[lane] ? value : low[lane];
    high[lane] = value > high[lane] ? value : high[lane];
    check[lane] += value * 0.0F;  // NaN as soon as one value is NaN or infinite
    zeros[lane] += value == 0.0F;
  };
  const std::size_t whole = values.size() - values.size() % kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes)
    for (std::size_t lane = 0; lane < kLanes; ++lane) take(lane, values[i + lane]);
  for (std::size_t i = whole; i < values.size(); ++i) take(0, values[i]);

  Summary summary{low[0], high[0], 0};
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    if (check[lane] != 0 || std::isnan(check[lane])) throw Error("a value to calibrate on is NaN or infinite");
    summary.low = std::min(summary.low, low[lane]);
    summary.high = std::max(summary.high, high[lane]);
    summary.zeros += zeros[lane];
  }
  return summary;
}

/// The smallest power of two above `magnitude`; 0 for 0.
double PowerOfTwoAbove(double magnitude) {
  int exponent = 0;
  std::frexp(magnitude, &exponent);
  return magnitude > 0 ? std::ldexp(1.0, exponent) : 0;
}

}  // namespace

void Histogram::Add(std::span<const float> values, bool first) {
  if (values.empty()) return;
  const Summary summary = Summarize(values);
  min_ = count_ == 0 ? summary.low : std::min<double>(min_, summary.low);
  max_ = count_ == 0 ? summary.high : std::max<double>(max_, summary.high);
  if (first || batches_ == 0) {
    batch_ = {summary.low, summary.high};
    sum_before_ = sum_;
    moving_before_ = moving_;
    ++batches_;
  } else {
    batch_ = {std::min<double>(batch_.min, summary.low), std::max<double>(batch_.max, summary.high)};
  }
  sum_ = {sum_before_.min + batch_.min, sum_before_.max + batch_.max};
  moving_ = {kDecay * moving_before_.min + (1 - kDecay) * batch_.min,
             kDecay * moving_before_.max + (1 - kDecay) * batch_.max};
  Cover(PowerOfTwoAbove(std::max(-min_, max_)));
  count_ += static_cast<std::int64_t>(values.size());
  zeros_ += summary.zeros;
  // Multiplying by a power of two is exact, so every value lands inside.
  const double per_unit = radius_ > 0 ? static_cast<double>(kHalf) / radius_ : 0;
  std::int64_t* const bins = bins_.data();
  for (const float value : values)
    ++bins[static_cast<std::int64_t>(static_cast<double>(value) * per_unit + static_cast<double>(kHalf))];
}

void Histogram::Merge(const Histogram& other) {
  if (other.count_ == 0) return;
  Histogram aligned = other;
  Cover(aligned.radius_);
  aligned.Cover(radius_);
  for (std::size_t bin = 0; bin < kBins; ++bin) bins_[bin] += aligned.bins_[bin];
  min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
  max_ = count_ == 0 ? other.max_ : std::max(max_, other.max_);
  const double later = std::pow(kDecay, static_cast<double>(other.batches_));
  sum_ = {sum_.min + other.sum_.min, sum_.max + other.sum_.max};
  moving_ = {later * moving_.min + other.moving_.min, later * moving_.max + other.moving_.max};
  batches_ += other.batches_;
  count_ += other.count_;
  zeros_ += other.zeros_;
}

void Histogram::Cover(double radius) {
  if (radius_ == 0) radius_ = radius;  // all values so far were zero, which has the same bin at any radius
  while (radius_ < radius) {
    std::vector<std::int64_t> merged(kBins);
    for (std::size_t bin = 0; bin < kBins; ++bin) merged[kHalf / 2 + bin / 2] += bins_[bin];
    bins_ = std::move(merged);
    radius_ *= 2;
  }
}

HistogramState Histogram::State() const {
  HistogramState state{radius_, min_, max_, sum_, moving_, zeros_, batches_, {}, {}};
  for (std::size_t bin = 0; bin < kBins; ++bin) {
    if (bins_[bin] == 0) continue;
    state.bins.push_back(static_cast<std::int64_t>(bin));
    state.counts.push_back(bins_[bin]);
  }
  return state;
}

Histogram Histogram::FromState(const HistogramState& state) {
  const auto require = [](bool right, const char* what) {
    if (!right) throw Error(what);
  };
  require(state.radius == 0 ||
              (state.radius > 0 && std::isfinite(state.radius) && PowerOfTwoAbove(state.radius) == 2 * state.radius),
          "radius: expected 0 or a power of two");
  require(state.min <= state.max && -state.radius <= state.min && state.max <= state.radius,
          "min, max: expected a range within the radius");
  require(state.bins.size() == state.counts.size(), "counts: expected as many as bins");
  Histogram histogram;
  for (std::size_t i = 0; i < state.bins.size(); ++i) {
    require(state.bins[i] >= 0 && state.bins[i] < static_cast<std::int64_t>(kBins) &&
                (i == 0 || state.bins[i] > state.bins[i - 1]),
            "bins: expected ascending numbers from 0 to 8191");
    require(state.counts[i] > 0, "counts: expected numbers above 0");
    histogram.bins_[static_cast<std::size_t>(state.bins[i])] = state.counts[i];
    histogram.count_ += state.counts[i];
  }
  require(state.zeros >= 0 && state.zeros <= histogram.bins_[kHalf],
          "zeros: expected at most what the bin that starts at 0 holds");
  require((histogram.count_ > 0) == (state.batches > 0), "batches: expected at least 1 where there are values");
  histogram.radius_ = state.radius;
  histogram.min_ = state.min;
  histogram.max_ = state.max;
  histogram.sum_ = state.sum;
  histogram.moving_ = state.moving;
  histogram.zeros_ = state.zeros;
  histogram.batches_ = state.batches;
  return histogram;
}

Distribution Histogram::Values() const {
  if (count_ == 0) throw Error("no value was seen that could be calibrated on");
  const auto batches = static_cast<double>(batches_);
  const double begun = 1 - std::pow(kDecay, batches);
  Distribution distribution{.min = min_,
                            .max = max_,
                            .average = {sum_.min / batches, sum_.max / batches},
                            .moving = {moving_.min / begun, moving_.max / begun},
                            .binned = true};
  const auto append = [&](double value, std::int64_t count) {
    if (count == 0) return;
    distribution.values.push_back(value);
    distribution.counts.push_back(static_cast<double>(count));
  };
  const double width = radius_ / static_cast<double>(kHalf);
  for (std::size_t bin = 0; bin < kBins; ++bin) {
    if (bin == kHalf) append(0, zeros_);
    const double center = (static_cast<double>(bin) + 0.5 - static_cast<double>(kHalf)) * width;
    append(std::clamp(center, min_, max_), bins_[bin] - (bin == kHalf ? zeros_ : 0));
  }
  return distribution;
}

}  // namespace bitplan::calibration
