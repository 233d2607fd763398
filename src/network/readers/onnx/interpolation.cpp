#include "readers/onnx/interpolation.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "bitplan/error.h"

namespace bitplan::network {

namespace {

/// Where in the input the result at `at` is from.
double PositionOf(const Interpolation& how, const ResizedAxis& axis, double at) {
  const auto from = static_cast<double>(axis.from);
  const double to = axis.scale * from;  // need not be whole
  const std::string& name = how.coordinates;
  if (name == "half_pixel") return (at + 0.5) / axis.scale - 0.5;
  if (name == "pytorch_half_pixel") return to == 1 ? -0.5 : (at + 0.5) / axis.scale - 0.5;
  if (name == "asymmetric") return at / axis.scale;
  if (name == "align_corners") return to == 1 ? 0 : at * (from - 1) / (to - 1);
  if (name == "half_pixel_symmetric")
    return from / 2 * (1 - static_cast<double>(axis.to) / to) + (at + 0.5) / axis.scale - 0.5;
  if (name == "tf_crop_and_resize") {
    const double cut = (axis.end - axis.begin) * (from - 1);
    return axis.begin * (from - 1) + (to == 1 ? cut / 2 : at * cut / (to - 1));
  }
  throw Error(fmt::format("the coordinate_transformation_mode '{}' is not known", name));
}

double CubicWeight(double x, double a) {
  x = std::abs(x);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

/// How much of an element at distance `x` there is in a result.
double WeightOf(const Interpolation& how, double x) {
  return how.mode == "cubic" ? CubicWeight(x, how.cubic_a) : std::max(0.0, 1 - std::abs(x));
}

std::int64_t Nearest(const Interpolation& how, double position) {
  const double below = std::floor(position), rest = position - below;
  if (rest == 0) return static_cast<std::int64_t>(position);
  bool up = false;
  if (how.nearest == "round_prefer_floor")
    up = rest > 0.5;
  else if (how.nearest == "round_prefer_ceil")
    up = rest >= 0.5;
  else if (how.nearest == "ceil")
    up = true;
  else if (how.nearest != "floor")
    throw Error(fmt::format("the nearest_mode '{}' is not known", how.nearest));
  return static_cast<std::int64_t>(below) + (up ? 1 : 0);
}

/// Weights of the elements around one result, of which `first` is the first one's place.
std::vector<double> Weights(const Interpolation& how, const ResizedAxis& axis, double position, double shrink,
                            std::int64_t first, std::size_t count) {
  std::vector<double> weights(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t place = first + static_cast<std::int64_t>(i);
    const bool left_out = how.exclude_outside && (place < 0 || place >= axis.from);
    weights[i] = left_out ? 0 : WeightOf(how, (static_cast<double>(place) - position) * shrink);
  }
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  if ((how.antialias || how.exclude_outside) && sum != 0)
    for (double& weight : weights) weight /= sum;
  return weights;
}

AxisTaps NearestTaps(const Interpolation& how, const ResizedAxis& axis) {
  AxisTaps taps;
  at::Tensor indices = at::empty({axis.to}, at::kLong);
  for (std::int64_t at = 0; at < axis.to; ++at)
    indices[at] =
        std::clamp<std::int64_t>(Nearest(how, PositionOf(how, axis, static_cast<double>(at))), 0, axis.from - 1);
  taps.indices.push_back(indices);
  return taps;
}

AxisTaps WeightedTaps(const Interpolation& how, const ResizedAxis& axis) {
  const double shrink = how.antialias ? std::min(axis.scale, 1.0) : 1;
  const double reach = (how.mode == "cubic" ? 2 : 1) / shrink;
  const auto begin = static_cast<std::int64_t>(std::floor(-reach)) + 1;  // from the element below
  const auto count = static_cast<std::size_t>(2 - 2 * begin);
  AxisTaps taps;
  for (std::size_t i = 0; i < count; ++i) {
    taps.indices.push_back(at::empty({axis.to}, at::kLong));
    taps.weights.push_back(at::empty({axis.to}, at::kFloat));
  }
  for (std::int64_t at = 0; at < axis.to; ++at) {
    const double position = PositionOf(how, axis, static_cast<double>(at));
    const std::int64_t first = static_cast<std::int64_t>(std::ceil(position)) - 1 + begin;
    const auto weights = Weights(how, axis, position, shrink, first, count);
    for (std::size_t i = 0; i < count; ++i) {
      taps.indices[i][at] = std::clamp<std::int64_t>(first + static_cast<std::int64_t>(i), 0, axis.from - 1);
      taps.weights[i][at] = weights[i];
    }
  }
  return taps;
}

}  // namespace

AxisTaps TapsOf(const Interpolation& how, const ResizedAxis& axis) {
  if (how.mode != "nearest" && how.mode != "linear" && how.mode != "cubic")
    throw Error(fmt::format("the mode '{}' is not known", how.mode));
  AxisTaps taps = how.mode == "nearest" ? NearestTaps(how, axis) : WeightedTaps(how, axis);
  if (how.coordinates != "tf_crop_and_resize") return taps;
  taps.outside = at::empty({axis.to}, at::kBool);
  for (std::int64_t at = 0; at < axis.to; ++at) {
    const double position = PositionOf(how, axis, static_cast<double>(at));
    taps.outside[at] = position < 0 || position > static_cast<double>(axis.from - 1);
  }
  return taps;
}

}  // namespace bitplan::network
