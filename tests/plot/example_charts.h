#pragma once

#include <string>
#include <utility>
#include <vector>

#include "bitplan/plot.h"

namespace bitplan {

/// A figure as it is drawn: `columns` 0 is a single chart.
struct ExampleFigure {
  std::string name;
  std::vector<Chart> charts;
  int columns = 0;

  std::string Svg() const { return columns == 0 ? ToSvg(charts.front()) : ToSvg(charts, columns); }
};

/// One for each use, and the hard cases: long texts, huge and tiny values, a single point, many series.
std::vector<ExampleFigure> ExampleFigures();

}  // namespace bitplan
