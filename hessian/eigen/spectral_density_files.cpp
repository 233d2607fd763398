#include <algorithm>
#include <cmath>
#include <numbers>

#include "bitplan/plot.h"
#include "bitplan/spectral_density.h"

namespace bitplan {

namespace {

/// The stretches of a line that are above `floor`, each closed off at it.
void AddAbove(double floor, const std::vector<double>& x, const std::vector<double>& y, const std::string& name,
              Chart& chart) {
  const auto is_above = [&](std::size_t i) { return y[i] >= floor; };
  for (std::size_t begin = 0, end = 0; begin < x.size(); begin = end + 1) {
    while (begin < x.size() && !is_above(begin)) ++begin;
    if (begin == x.size()) return;
    for (end = begin; end < x.size() && is_above(end);) ++end;
    Series& stretch = chart.series.emplace_back();
    stretch.name = name;
    stretch.kind = SeriesKind::Line;
    for (std::size_t i = begin == 0 ? 0 : begin - 1; i < std::min(end + 1, x.size()); ++i) {
      stretch.x.push_back(x[i]);
      stretch.y.push_back(std::max(y[i], floor));
    }
  }
}

}  // namespace

std::string ToCsv(const DensityCurve& curve) {
  std::vector<std::vector<Cell>> rows;
  for (std::size_t i = 0; i < curve.eigenvalues.size(); ++i)
    rows.push_back({curve.eigenvalues[i], curve.density[i], curve.standard_errors[i]});
  return ToCsv({"eigenvalue", "density", "standard error"}, rows);
}

std::string ToSvg(const DensityCurve& curve, std::int64_t rows, const std::string& title) {
  const double floor = 0.1 / (static_cast<double>(rows) * curve.width * std::sqrt(2 * std::numbers::pi));
  std::vector<double> below, above;
  for (std::size_t i = 0; i < curve.density.size(); ++i) {
    below.push_back(curve.density[i] - curve.standard_errors[i]);
    above.push_back(curve.density[i] + curve.standard_errors[i]);
  }
  Chart chart;
  chart.title = title;
  chart.x_label = "eigenvalue";
  chart.y_label = "density";
  chart.y_scale = AxisScale::Log;
  AddAbove(floor, curve.eigenvalues, above, "± one standard error", chart);
  AddAbove(floor, curve.eigenvalues, below, "± one standard error", chart);
  AddAbove(floor, curve.eigenvalues, curve.density, "density", chart);
  return ToSvg(chart);
}

}  // namespace bitplan
