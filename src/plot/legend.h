#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "bitplan/plot.h"
#include "plot/svg_writer.h"

namespace bitplan::plot {

/// Who is who in a figure: styles by name, in the order in which names first appear in its charts.
class Legend {
 public:
  explicit Legend(const std::vector<Chart>& charts);

  /// Of the series at this position in its chart.
  Style StyleOf(const Series& series, std::size_t position) const;

  /// Height in pixels of the rows of entries, in a figure of this width; 0 when no series has a name.
  double Height(double width, double font_size) const;

  /// Draws rows of entries, each centered, from `top` down.
  void Draw(SvgWriter& svg, double top, double width, double font_size) const;

 private:
  struct Entry {
    std::string name;
    std::size_t position;  ///< in its chart, which tells series without a name apart
    std::set<SeriesKind> kinds;

    bool Is(const Series& series, std::size_t at) const;
  };
  struct Row {
    std::vector<std::size_t> entries;
    double width = 0;
  };
  std::vector<Row> Rows(double width, double font_size) const;
  void DrawKey(SvgWriter& svg, Pixel left, std::size_t entry) const;

  std::vector<Entry> entries_;
};

}  // namespace bitplan::plot
