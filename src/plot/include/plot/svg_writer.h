#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plot/style.h"

namespace bitplan::plot {

/// A position in pixels from the upper left corner.
struct Pixel {
  double x = 0, y = 0;
};

enum class Anchor { Start, Middle, End };

struct TextStyle {
  double font_size = 12;
  Anchor anchor = Anchor::Start;
  bool bold = false;
  bool upwards = false;  ///< turned by 90° to the left
};

/// Writes an SVG document element by element; the same calls give the same bytes.
class SvgWriter {
 public:
  /// `title` is what a screen reader says; empty: none.
  SvgWriter(double width, double height, std::string_view title);

  void Line(Pixel from, Pixel to, std::string_view color, double width, std::string_view dashes = {});
  void Path(const std::vector<Pixel>& points, const Style& style);
  void Bar(Pixel corner, Pixel opposite, std::string_view color);
  void Marker(Pixel center, const Style& style, double radius);
  void Text(Pixel at, std::string_view text, const TextStyle& style);

  /// Elements in between belong together under a name, shown when a mouse rests on them.
  void BeginGroup(std::string_view name);
  void EndGroup();

  std::string Finish();

 private:
  std::string svg_;
};

}  // namespace bitplan::plot
