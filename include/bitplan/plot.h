#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace bitplan {

enum class AxisScale { Linear, Log };  ///< Log: base 10

enum class SeriesKind {
  Points,  ///< a marker each
  Line,    ///< straight from each point to the next, in the order given
  Bars,    ///< from 0 (on a log axis from its lower end) to y, centered at x; several such series stand side by side
  Step,    ///< y holds until the next x: a Pareto front, a best value so far
};

/// What one entry of the legend stands for. Series of the same name share color and entry, in one chart and across
/// small multiples, whatever their kinds: measured points and the line through them.
struct Series {
  std::string name;  ///< UTF-8; empty: not in the legend
  /// Shape: [points] each, at least 1; finite, magnitudes at most 1e300; on a log axis at least 1e-300.
  std::vector<double> x, y;
  /// One standard error of each y, ≥ 0, drawn as bars of ±1; empty: none. Shape: [points]. On a log axis a bar that
  /// reaches below a tenth of y may run off the chart.
  std::vector<double> standard_errors = {};
  SeriesKind kind = SeriesKind::Points;
};

/// A chart; axes cover the data of all its series. Texts are UTF-8, shortened with an ellipsis where they do not fit.
struct Chart {
  std::string title, x_label, y_label;  ///< labels with their units; empty: none
  AxisScale x_scale = AxisScale::Linear, y_scale = AxisScale::Linear;
  std::vector<Series> series;
};

/// A standalone SVG document, 720 × 440 (higher only for a legend of many rows), colors safe for the color-blind (Okabe
/// and Ito), the legend below the axes. Equal charts give equal bytes. Throws Error naming chart, series and index: no
/// series, a series without points, lists of different lengths, values out of the ranges above.
std::string ToSvg(const Chart& chart);

/// Small multiples: charts row by row in `columns` ≥ 1, each 360 × 300 with axes of its own, under one legend.
/// Throws Error like that of one chart, and when there is no chart.
std::string ToSvg(const std::vector<Chart>& charts, int columns);

using Cell = std::variant<double, std::int64_t, std::string>;

/// A table as comma-separated values (RFC 4180, but lines end in "\n"): numbers in the fewest digits that read back the
/// same, "nan", "inf" and "-inf" among them; texts quoted where they must be. Throws Error: no columns, a row of
/// another length.
std::string ToCsv(const std::vector<std::string>& header, const std::vector<std::vector<Cell>>& rows);

}  // namespace bitplan
