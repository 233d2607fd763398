#pragma once

#include <vector>

#include "bitplan/problem.h"

/// Problems with a joint term, shaped like a ResNet-20's: 20 layers, weights of {2, 3, 4, 6, 8} bits, alone or with
/// inputs of as many widths.
std::vector<bitplan::Problem> NetworkLikeProblems();
