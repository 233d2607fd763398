#pragma once

#include <string>
#include <vector>

#include "bitplan/cost.h"

namespace bitplan::cost {

/// Weight bits of a group's members, and the activation bits they share.
struct GroupBits {
  std::vector<int> weights;
  int activation = 32;
};

/// w4a8; w4-3a8 where the members' weights differ.
std::string NameOf(const GroupBits& bits);

/// Whether the widths go together under `rule`.
bool Keeps(WidthRule rule, const GroupBits& bits);

}  // namespace bitplan::cost
