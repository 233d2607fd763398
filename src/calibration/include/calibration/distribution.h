#pragma once

#include <span>
#include <vector>

namespace bitplan::calibration {

/// The smallest and the largest of some values.
struct Extremes {
  double min = 0, max = 0;
};

/// Values and how often each occurs: a channel's weights themselves, or the bins of a histogram.
struct Distribution {
  std::vector<double> values = {};  ///< ascending, not empty
  std::vector<double> counts = {};  ///< > 0, as many
  double min = 0, max = 0;          ///< exact, also where `values` are bin centers
  Extremes average = {},
           moving = {};  ///< means and moving averages of the extremes of the batches that the values came in
  bool binned = false;   ///< `values` are centers of equal bins (0 may stand among them for exact zeros)
};

/// Each value once. Throws Error when one is NaN or infinite, or there are none.
Distribution DistributionOf(std::span<const float> values);

/// The extremes alone stand for all values. Throws Error likewise.
Distribution ExtremesOf(std::span<const float> values);

}  // namespace bitplan::calibration
