#include "check.h"

#include <fmt/format.h>

#include <cmath>
#include <string_view>

#include "bitplan/error.h"

namespace bitplan::plot {

namespace {

constexpr double kLargest = 1e300, kSmallestOnLog = 1e-300;

class SeriesCheck {
 public:
  SeriesCheck(const Series& series, std::string where) : series_(series), where_(std::move(where)) {}

  void Run(AxisScale x_scale, AxisScale y_scale) const {
    if (series_.x.size() != series_.y.size())
      throw Error(
          fmt::format("{}: {} x and {} y; expected as many of each", where_, series_.x.size(), series_.y.size()));
    if (series_.x.empty()) throw Error(fmt::format("{}: there are no points", where_));
    if (!series_.standard_errors.empty() && series_.standard_errors.size() != series_.y.size())
      throw Error(fmt::format("{}: {} points and {} standard errors; expected as many, or none", where_,
                              series_.y.size(), series_.standard_errors.size()));
    CheckValues("x", series_.x, x_scale);
    CheckValues("y", series_.y, y_scale);
    CheckErrors();
  }

 private:
  void CheckValues(std::string_view what, const std::vector<double>& values, AxisScale scale) const {
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!std::isfinite(values[i]) || std::abs(values[i]) > kLargest)
        Reject(what, i, values[i], "a finite number, of magnitude 1e300 at most");
      if (scale == AxisScale::Log && values[i] < kSmallestOnLog)
        Reject(what, i, values[i], "a number above 0, 1e-300 at least, on a log axis");
    }
  }

  void CheckErrors() const {
    const std::vector<double>& errors = series_.standard_errors;
    for (std::size_t i = 0; i < errors.size(); ++i)
      if (!(errors[i] >= 0 && errors[i] <= kLargest))
        Reject("standard_errors", i, errors[i], "a finite number, 0 to 1e300");
  }

  [[noreturn]] void Reject(std::string_view what, std::size_t index, double value, std::string_view expected) const {
    throw Error(fmt::format("{}: {}[{}] is {}; expected {}", where_, what, index, value, expected));
  }

  const Series& series_;
  const std::string where_;
};

}  // namespace

void CheckCharts(const std::vector<Chart>& charts) {
  if (charts.empty()) throw Error("plot: there is no chart");
  for (std::size_t c = 0; c < charts.size(); ++c) {
    const Chart& chart = charts[c];
    if (chart.series.empty()) throw Error(fmt::format("chart {} '{}': there is no series", c, chart.title));
    for (std::size_t s = 0; s < chart.series.size(); ++s)
      SeriesCheck(chart.series[s],
                  fmt::format("chart {} '{}', series {} '{}'", c, chart.title, s, chart.series[s].name))
          .Run(chart.x_scale, chart.y_scale);
  }
}

}  // namespace bitplan::plot
