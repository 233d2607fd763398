#include "plot/style.h"

#include <array>

namespace bitplan::plot {

namespace {

// Okabe and Ito, Color Universal Design (2008), without the yellow, which white paper swallows.
constexpr std::array<std::string_view, 7> kColors = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                                     "#E69F00", "#56B4E9", "#000000"};
constexpr std::array<Shape, 5> kShapes = {Shape::Circle, Shape::Square, Shape::Triangle, Shape::Diamond, Shape::Cross};
constexpr std::array<std::string_view, 4> kDashes = {"", "7 3", "2 2", "7 3 2 3"};

}  // namespace

Style StyleOf(std::size_t index) {
  return {kColors[index % kColors.size()], kShapes[index % kShapes.size()],
          kDashes[index / kColors.size() % kDashes.size()]};
}

}  // namespace bitplan::plot
