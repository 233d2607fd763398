#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>

#include "bitplan/error.h"
#include "bitplan/statistics.h"
#include "check.h"
#include "moments.h"
#include "statistics/draw_below.h"

namespace bitplan {

namespace {

using statistics::CheckResult;
using statistics::CheckValues;

SampleCounts Draw(std::size_t samples, std::mt19937_64& random) {
  SampleCounts counts(samples);
  for (std::size_t i = 0; i < samples; ++i) ++counts[statistics::DrawBelow(samples, random)];
  return counts;
}

void CheckFigures(const std::string& where, const std::vector<double>& figures, std::size_t expected) {
  if (figures.size() != expected)
    throw Error(fmt::format("bootstrap: the statistic gave {} figures {}; expected {} as without resampling",
                            figures.size(), where, expected));
  CheckValues("bootstrap: figures " + where, figures, 0);
}

/// Type 7 of Hyndman and Fan.
double Quantile(const std::vector<double>& sorted, double probability) {
  const double position = probability * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const double above = sorted[std::min(below + 1, sorted.size() - 1)];
  return std::lerp(sorted[below], above, position - std::floor(position));
}

}  // namespace

void BootstrapOptions::Validate() const {
  if (resamples < 2) throw Error(fmt::format("bootstrap resamples {}: must be at least 2", resamples));
}

Bootstrapped Bootstrap(std::size_t samples, const BootstrapStatistic& statistic, const BootstrapOptions& options) {
  options.Validate();
  if (samples < 2) throw Error(fmt::format("bootstrap: {} samples given; expected at least 2", samples));
  if (!statistic) throw Error("bootstrap: there is no statistic to compute");
  const std::vector<double> figures = statistic(SampleCounts(samples, 1));
  CheckFigures("without resampling", figures, figures.size());

  Bootstrapped result;
  result.replicates.resize(figures.size());
  std::mt19937_64 random(options.seed);
  for (std::int64_t r = 0; r < options.resamples; ++r) {
    const std::vector<double> resampled = statistic(Draw(samples, random));
    CheckFigures(fmt::format("of resample {}", r), resampled, figures.size());
    for (std::size_t i = 0; i < figures.size(); ++i) result.replicates[i].push_back(resampled[i]);
  }
  for (std::size_t i = 0; i < figures.size(); ++i) {
    const double deviation = statistics::StandardDeviation(result.replicates[i]);
    result.estimates.push_back({figures[i], CheckResult("bootstrap", deviation)});
  }
  return result;
}

std::vector<double> Resampled(const std::vector<double>& values, const SampleCounts& counts) {
  if (values.size() != counts.size())
    throw Error(
        fmt::format("resample: {} values and {} counts given; expected as many of each", values.size(), counts.size()));
  std::vector<double> resampled;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (counts[i] < 0) throw Error(fmt::format("resample: count {} is {}; expected 0 or more", i, counts[i]));
    resampled.insert(resampled.end(), static_cast<std::size_t>(counts[i]), values[i]);
  }
  return resampled;
}

Interval PercentileInterval(const std::vector<double>& replicates, double level) {
  CheckValues("percentile interval", replicates);
  if (!(level > 0 && level < 1))
    throw Error(fmt::format("percentile interval: level {}: must be above 0 and below 1", level));
  std::vector<double> sorted = replicates;
  std::sort(sorted.begin(), sorted.end());
  return {Quantile(sorted, (1 - level) / 2), Quantile(sorted, (1 + level) / 2)};
}

}  // namespace bitplan
