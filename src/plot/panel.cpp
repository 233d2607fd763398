#include "panel.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "plot/text.h"

namespace bitplan::plot {

namespace {

constexpr std::string_view kGridColor = "#e4e4e4", kAxisColor = "#444444", kHaloColor = "#ffffff";

class Panel {
 public:
  Panel(SvgWriter& svg, const Chart& chart, const Layout& layout, const Axis& x, const Axis& y, Pixel corner)
      : svg_(svg),
        chart_(chart),
        layout_(layout),
        x_(x),
        y_(y),
        corner_(corner),
        upper_left_{corner.x + layout.left, corner.y + layout.top},
        lower_right_{corner.x + layout.size.width - layout.right, corner.y + layout.size.height - layout.bottom} {}

  void Draw(const Legend& legend) {
    DrawAxes();
    DrawTexts();
    // Bars stand behind what is drawn over them.
    for (const bool bars : {true, false}) {
      std::size_t bar_series = 0;
      for (std::size_t i = 0; i < chart_.series.size(); ++i) {
        const Series& series = chart_.series[i];
        const bool is_bars = series.kind == SeriesKind::Bars;
        if (is_bars == bars) DrawSeries(series, legend.StyleOf(series, i), is_bars ? bar_series++ : 0);
      }
    }
  }

 private:
  double XPixel(double coordinate) const { return std::lerp(upper_left_.x, lower_right_.x, x_.Fraction(coordinate)); }
  double YPixel(double coordinate) const { return std::lerp(lower_right_.y, upper_left_.y, y_.Fraction(coordinate)); }
  /// Of a value of y; what lies below the frame, as error bars on a log axis may, is on its edge.
  double YPixelOf(double value) const {
    if (y_.scale == AxisScale::Log && value <= 0) return lower_right_.y;
    return std::min(YPixel(AxisCoordinate(value, y_.scale)), lower_right_.y);
  }

  void DrawAxes() {
    for (const Tick& tick : x_.ticks.ticks) DrawXTick(tick);
    for (const Tick& tick : y_.ticks.ticks) DrawYTick(tick);
    svg_.Line({upper_left_.x, lower_right_.y}, lower_right_, kAxisColor, 1);
    svg_.Line(upper_left_, {upper_left_.x, lower_right_.y}, kAxisColor, 1);
  }

  void DrawXTick(const Tick& tick) {
    const double x = XPixel(tick.position), bottom = lower_right_.y, font = layout_.size.tick_font;
    if (!tick.label.empty()) svg_.Line({x, upper_left_.y}, {x, bottom}, kGridColor, 1);
    svg_.Line({x, bottom}, {x, bottom + (tick.label.empty() ? 2.5 : 5)}, kAxisColor, 1);
    svg_.Text({x, bottom + 5 + font}, tick.label, {font, Anchor::Middle});
  }

  void DrawYTick(const Tick& tick) {
    const double y = YPixel(tick.position), left = upper_left_.x, font = layout_.size.tick_font;
    if (!tick.label.empty()) svg_.Line({left, y}, {lower_right_.x, y}, kGridColor, 1);
    svg_.Line({left - (tick.label.empty() ? 2.5 : 5), y}, {left, y}, kAxisColor, 1);
    svg_.Text({left - 8, y + 0.35 * font}, tick.label, {font, Anchor::End});
  }

  void DrawTexts() {
    const PanelSize& size = layout_.size;
    const double width = lower_right_.x - upper_left_.x, height = lower_right_.y - upper_left_.y;
    const double center = (upper_left_.x + lower_right_.x) / 2, middle = (upper_left_.y + lower_right_.y) / 2;
    const FittedText title = Fit(chart_.title, size.title_font, width / 1.1);  // bold is wider
    svg_.Text({center, corner_.y + 1.4 * size.title_font}, title.text, {title.font_size, Anchor::Middle, true});
    DrawLabel({center, corner_.y + size.height - 0.6 * size.label_font}, chart_.x_label, x_.ticks.factor, width, false);
    DrawLabel({corner_.x + 1.4 * size.label_font, middle}, chart_.y_label, y_.ticks.factor, height, true);
  }

  /// A label and, whatever becomes of it, the factor of its ticks.
  void DrawLabel(Pixel at, const std::string& label, const std::string& factor, double length, bool upwards) {
    const double font = layout_.size.label_font;
    const std::string suffix = label.empty() || factor.empty() ? factor : "  " + factor;
    const FittedText fitted = Fit(label, font, length - TextWidth(suffix, font));
    svg_.Text(at, fitted.text + suffix, {fitted.font_size, Anchor::Middle, false, upwards});
  }

  void DrawSeries(const Series& series, const Style& style, std::size_t bar_series) {
    const BarSlots slots(chart_);
    // Bars of several series stand side by side about x.
    const double shift =
        series.kind == SeriesKind::Bars
            ? slots.width * (static_cast<double>(bar_series) - (static_cast<double>(slots.abreast) - 1) / 2)
            : 0;
    std::vector<Pixel> points;
    for (std::size_t i = 0; i < series.x.size(); ++i)
      points.push_back({XPixel(AxisCoordinate(series.x[i], x_.scale) + shift), YPixelOf(series.y[i])});
    svg_.BeginGroup(series.name);
    if (series.kind == SeriesKind::Bars) DrawBars(series, points, style, slots);
    for (std::size_t i = 0; i < series.standard_errors.size(); ++i) {
      const double x = points[i].x, y = series.y[i], error = series.standard_errors[i];
      if (series.kind != SeriesKind::Bars) {
        DrawErrorBar(x, y, error, style.color, 1.2);
      } else {
        DrawErrorBar(x, y, error, kHaloColor, 3);  // else its lower half would vanish in the bar
        DrawErrorBar(x, y, error, kAxisColor, 1.2);
      }
    }
    if (series.kind == SeriesKind::Line) svg_.Path(points, style);
    if (series.kind == SeriesKind::Step) svg_.Path(Stairs(points), style);
    if (series.kind == SeriesKind::Points)
      for (const Pixel& point : points) svg_.Marker(point, style, MarkerRadius(points.size()));
    svg_.EndGroup();
  }

  void DrawBars(const Series& series, const std::vector<Pixel>& points, const Style& style, const BarSlots& slots) {
    const double half = (XPixel(x_.range.low + slots.width) - upper_left_.x) / 2;
    const double base = y_.scale == AxisScale::Log ? lower_right_.y : YPixelOf(0);
    for (std::size_t i = 0; i < series.x.size(); ++i)
      svg_.Bar({points[i].x - half, points[i].y}, {points[i].x + half, base}, style.color);
  }

  void DrawErrorBar(double x, double value, double error, std::string_view color, double width) {
    const double above = YPixelOf(value + error), below = YPixelOf(value - error), cap = 3;
    svg_.Line({x, above}, {x, below}, color, width);
    svg_.Line({x - cap, above}, {x + cap, above}, color, width);
    if (below < lower_right_.y) svg_.Line({x - cap, below}, {x + cap, below}, color, width);
  }

  static std::vector<Pixel> Stairs(const std::vector<Pixel>& points) {
    std::vector<Pixel> stairs;
    for (const Pixel& point : points) {
      if (!stairs.empty()) stairs.push_back({point.x, stairs.back().y});
      stairs.push_back(point);
    }
    return stairs;
  }

  static double MarkerRadius(std::size_t points) { return points > 500 ? 2 : points > 100 ? 2.7 : 3.5; }

  SvgWriter& svg_;
  const Chart& chart_;
  const Layout& layout_;
  const Axis &x_, &y_;
  const Pixel corner_, upper_left_, lower_right_;
};

}  // namespace

void DrawPanel(SvgWriter& svg, const std::vector<Chart>& charts, std::size_t index, const Layout& layout,
               const Legend& legend, Pixel corner) {
  Panel(svg, charts[index], layout, layout.x[index], layout.y[index], corner).Draw(legend);
}

}  // namespace bitplan::plot
