#include "legend.h"

#include <algorithm>

#include "plot/style.h"
#include "plot/text.h"

namespace bitplan::plot {

namespace {

constexpr double kKeyWidth = 26, kKeyGap = 6, kEntryGap = 20, kLineHeight = 1.6;

}  // namespace

bool Legend::Entry::Is(const Series& series, std::size_t at) const {
  return name == series.name && (!name.empty() || position == at);
}

Legend::Legend(const std::vector<Chart>& charts) {
  for (const Chart& chart : charts)
    for (std::size_t i = 0; i < chart.series.size(); ++i) {
      const Series& series = chart.series[i];
      auto entry =
          std::find_if(entries_.begin(), entries_.end(), [&](const Entry& each) { return each.Is(series, i); });
      if (entry == entries_.end()) entry = entries_.insert(entries_.end(), Entry{series.name, i, {}});
      entry->kinds.insert(series.kind);
    }
}

Style Legend::StyleOf(const Series& series, std::size_t position) const {
  const auto entry =
      std::find_if(entries_.begin(), entries_.end(), [&](const Entry& each) { return each.Is(series, position); });
  return plot::StyleOf(static_cast<std::size_t>(entry - entries_.begin()));
}

double Legend::Height(double width, double font_size) const {
  const std::size_t rows = Rows(width, font_size).size();
  return rows == 0 ? 0 : static_cast<double>(rows) * kLineHeight * font_size + font_size / 2;
}

std::vector<Legend::Row> Legend::Rows(double width, double font_size) const {
  std::vector<Row> rows;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].name.empty()) continue;
    const double text = std::min(TextWidth(entries_[i].name, font_size), width - kKeyWidth - kKeyGap - kEntryGap);
    const double needed = kKeyWidth + kKeyGap + text + kEntryGap;
    if (rows.empty() || rows.back().width + needed > width) rows.emplace_back();
    rows.back().entries.push_back(i);
    rows.back().width += needed;
  }
  return rows;
}

void Legend::DrawKey(SvgWriter& svg, Pixel left, std::size_t entry) const {
  const Style style = plot::StyleOf(entry);
  const double right = left.x + kKeyWidth, middle = (left.x + right) / 2;
  for (const SeriesKind kind : {SeriesKind::Bars, SeriesKind::Step, SeriesKind::Line, SeriesKind::Points}) {
    if (!entries_[entry].kinds.contains(kind)) continue;
    if (kind == SeriesKind::Bars) svg.Bar({left.x + 6, left.y - 5}, {right - 6, left.y + 5}, style.color);
    if (kind == SeriesKind::Step)
      svg.Path({{left.x, left.y + 4}, {middle, left.y + 4}, {middle, left.y - 4}, {right, left.y - 4}}, style);
    if (kind == SeriesKind::Line) svg.Path({left, {right, left.y}}, style);
    if (kind == SeriesKind::Points) svg.Marker({middle, left.y}, style, 4);
  }
}

void Legend::Draw(SvgWriter& svg, double top, double width, double font_size) const {
  double middle = top + kLineHeight * font_size / 2;
  for (const Row& row : Rows(width, font_size)) {
    double left = (width - row.width + kEntryGap) / 2;
    for (const std::size_t i : row.entries) {
      DrawKey(svg, {left, middle}, i);
      left += kKeyWidth + kKeyGap;
      const FittedText name = Fit(entries_[i].name, font_size, width - kKeyWidth - kKeyGap - kEntryGap);
      svg.Text({left, middle + 0.35 * font_size}, name.text, {name.font_size});
      left += TextWidth(name.text, name.font_size) + kEntryGap;
    }
    middle += kLineHeight * font_size;
  }
}

}  // namespace bitplan::plot
