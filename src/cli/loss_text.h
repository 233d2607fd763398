#pragma once

#include <string>

namespace bitplan::cli {

/// With four decimals; below 0.01 with three significant digits, from 1,000,000 on with four.
std::string LossText(double loss);

}  // namespace bitplan::cli
