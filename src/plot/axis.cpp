#include "axis.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "plot/text.h"

namespace bitplan::plot {

namespace {

class RangeFinder {
 public:
  void Cover(double coordinate) {
    range_.low = std::min(range_.low, coordinate);
    range_.high = std::max(range_.high, coordinate);
  }

  /// The covered range and a margin, except below `floor`, where bars stand.
  AxisRange Padded(AxisScale scale, bool on_floor) const {
    const double span = range_.high - range_.low;
    const double magnitude = std::max(std::abs(range_.low), std::abs(range_.high));
    if (scale == AxisScale::Log && span < 1e-8) return {range_.low - 0.5, range_.high + 0.5};
    if (scale == AxisScale::Linear && span <= std::max(1e-9 * magnitude, 1e-280)) {
      const double margin = magnitude > 1e-270 ? magnitude / 20 : 1;
      return {range_.low - margin, range_.high + margin};
    }
    const double margin = span / 25;
    return {on_floor && range_.low == 0 ? 0 : range_.low - margin,
            on_floor && range_.high == 0 ? 0 : range_.high + margin};
  }

 private:
  AxisRange range_ = {std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
};

bool HasBars(const Chart& chart) {
  return std::any_of(chart.series.begin(), chart.series.end(),
                     [](const Series& series) { return series.kind == SeriesKind::Bars; });
}

/// Labels along a horizontal axis that leave a gap between neighbors.
bool LabelsFit(const Axis& axis, double length, double font_size) {
  std::vector<std::pair<double, double>> labels;  // center and width, in pixels
  for (const Tick& tick : axis.ticks.ticks)
    if (!tick.label.empty())
      labels.emplace_back(axis.Fraction(tick.position) * length, TextWidth(tick.label, font_size));
  std::sort(labels.begin(), labels.end());
  for (std::size_t i = 1; i < labels.size(); ++i)
    if (labels[i].first - labels[i - 1].first < (labels[i].second + labels[i - 1].second) / 2 + font_size) return false;
  return true;
}

Ticks MakeTicks(AxisScale scale, const AxisRange& range, int most) {
  return scale == AxisScale::Log ? LogTicks(range.low, range.high, most) : LinearTicks(range.low, range.high, most);
}

}  // namespace

double AxisCoordinate(double value, AxisScale scale) { return scale == AxisScale::Log ? std::log10(value) : value; }

BarSlots::BarSlots(const Chart& chart) {
  std::vector<double> centers;
  for (const Series& series : chart.series) {
    if (series.kind != SeriesKind::Bars) continue;
    ++abreast;
    for (const double x : series.x) centers.push_back(AxisCoordinate(x, chart.x_scale));
  }
  if (centers.empty()) return;
  std::sort(centers.begin(), centers.end());
  double nearest = std::numeric_limits<double>::infinity();
  for (std::size_t i = 1; i < centers.size(); ++i)
    if (centers[i] > centers[i - 1]) nearest = std::min(nearest, centers[i] - centers[i - 1]);
  if (std::isinf(nearest)) nearest = 1;
  width = 0.8 * nearest / static_cast<double>(abreast);
}

AxisRange XRange(const Chart& chart) {
  const BarSlots slots(chart);
  RangeFinder range;
  for (const Series& series : chart.series) {
    const double half = series.kind == SeriesKind::Bars ? slots.width * static_cast<double>(slots.abreast) / 2 : 0;
    for (const double x : series.x) {
      range.Cover(AxisCoordinate(x, chart.x_scale) - half);
      range.Cover(AxisCoordinate(x, chart.x_scale) + half);
    }
  }
  return range.Padded(chart.x_scale, false);
}

AxisRange YRange(const Chart& chart) {
  const bool on_floor = HasBars(chart) && chart.y_scale == AxisScale::Linear;
  RangeFinder range;
  if (on_floor) range.Cover(0);
  for (const Series& series : chart.series)
    for (std::size_t i = 0; i < series.y.size(); ++i) {
      const double error = series.standard_errors.empty() ? 0 : series.standard_errors[i];
      const double below = series.y[i] - error;
      range.Cover(
          AxisCoordinate(chart.y_scale == AxisScale::Log ? std::max(below, series.y[i] / 10) : below, chart.y_scale));
      range.Cover(AxisCoordinate(series.y[i] + error, chart.y_scale));
    }
  return range.Padded(chart.y_scale, on_floor);
}

Axis MakeXAxis(const Chart& chart, double length, double font_size) {
  Axis axis{chart.x_scale, XRange(chart), {}};
  for (int most = std::max(2, static_cast<int>(length / (5 * font_size))); most >= 2; --most) {
    axis.ticks = MakeTicks(axis.scale, axis.range, most);
    if (LabelsFit(axis, length, font_size)) break;
  }
  return axis;
}

Axis MakeYAxis(const Chart& chart, double length, double font_size) {
  Axis axis{chart.y_scale, YRange(chart), {}};
  axis.ticks = MakeTicks(axis.scale, axis.range, std::max(2, static_cast<int>(length / (3 * font_size))));
  return axis;
}

}  // namespace bitplan::plot
