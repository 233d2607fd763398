#pragma once

#include <cstddef>
#include <vector>

#include "bitplan/problem.h"
#include "plan_space.h"

namespace bitplan::agent {

/// A group's coordinates, and each choice's values of them: the widths where its choices are named by them, else the
/// place in the order of `spent`, which says what each choice costs.
struct Coordinates {
  std::vector<Coordinate> coordinates;
  std::vector<std::vector<std::size_t>> values;  ///< [choices][coordinates]
};
Coordinates CoordinatesOf(const Group& group, const std::vector<double>& spent);

}  // namespace bitplan::agent
