#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace bitplan {

/// The number below which a standard normal variable lies with probability p, by bisection.
inline double NormalQuantile(double p) {
  double low = -10, high = 10;
  for (int i = 0; i < 200; ++i) {
    const double middle = (low + high) / 2;
    (std::erfc(-middle / std::numbers::sqrt2) / 2 < p ? low : high) = middle;
  }
  return low;
}

/// The levels of NF4 by their construction, ascending, to the last bit: 8 normal quantiles below 0 and 8 from 0 on,
/// scaled to [−1, 1] (Dettmers et al. 2023, equation 4), with the authors' offset and in the float32 of their program
/// (create_normal_map: evenly spaced probabilities from the offset to a half, as torch.linspace has them).
inline std::vector<double> NormalFloatLevels() {
  constexpr float kOffset = 0.9677083F;
  const auto quantiles = [](int intervals, double sign) {
    std::vector<float> side;
    const float step = (0.5F - kOffset) / static_cast<float>(intervals);
    for (int i = 0; i < intervals; ++i) {
      const bool first_half = i < (intervals + 1) / 2;
      const float p =
          first_half ? kOffset + step * static_cast<float>(i) : 0.5F - step * static_cast<float>(intervals - i);
      side.push_back(static_cast<float>(sign * NormalQuantile(p)));
    }
    return side;
  };
  std::vector<float> levels = quantiles(8, 1);
  levels.push_back(0);
  for (const float level : quantiles(7, -1)) levels.push_back(level);
  std::sort(levels.begin(), levels.end());
  std::vector<double> scaled;
  for (const float level : levels) scaled.push_back(level / levels.back());
  return scaled;
}

}  // namespace bitplan
