#pragma once

#include <string>
#include <vector>

#include "bitplan/problem.h"

namespace bitplan::search_test {

struct Instance {
  Problem problem;
  double optimum = 0;  ///< the file's `reference.optimum`; NaN when it has none
};

/// `name` without folder and ending, of tests/search/instances.
Instance ReadInstance(const std::string& name);

/// The nine problems of HAWQ-V3.
std::vector<std::string> HawqInstances();

}  // namespace bitplan::search_test
