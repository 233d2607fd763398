#pragma once

#include <cstddef>
#include <string_view>

namespace bitplan::plot {

enum class Shape { Circle, Square, Triangle, Diamond, Cross };

/// How a series is told apart, by color and by form.
struct Style {
  std::string_view color;   ///< "#0072B2"
  Shape shape;              ///< of markers
  std::string_view dashes;  ///< of lines, as in stroke-dasharray; empty: solid
};

/// The first 7 styles differ in color, the first 35 in color or shape.
Style StyleOf(std::size_t index);

}  // namespace bitplan::plot
