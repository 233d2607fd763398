#pragma once

#include <utility>

#include "bitplan/plot.h"
#include "ticks.h"

namespace bitplan::plot {

/// Where a value lies along an axis: itself, or its log10.
double AxisCoordinate(double value, AxisScale scale);

/// Bars of one chart, all of one width, in axis coordinates.
struct BarSlots {
  double width = 0;         ///< of one bar; 0: there are no bars
  std::size_t abreast = 0;  ///< series of bars

  explicit BarSlots(const Chart& chart);
};

/// What an axis shows, in axis coordinates; low < high.
struct AxisRange {
  double low = 0, high = 0;
};
AxisRange XRange(const Chart& chart);
AxisRange YRange(const Chart& chart);

struct Axis {
  AxisScale scale = AxisScale::Linear;
  AxisRange range;
  Ticks ticks;

  /// 0 at the lower end of the axis, 1 at the upper.
  double Fraction(double coordinate) const { return (coordinate - range.low) / (range.high - range.low); }
};

/// Axes of these lengths in pixels: as many ticks as their labels leave room for.
Axis MakeXAxis(const Chart& chart, double length, double font_size);
Axis MakeYAxis(const Chart& chart, double length, double font_size);

}  // namespace bitplan::plot
