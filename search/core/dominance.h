#pragma once

#include <cstdint>
#include <vector>

namespace bitplan::search {

/// A choice while a problem is being reduced.
struct Candidate {
  std::uint32_t choice = 0;  ///< index in its group
  double loss = 0;
  std::vector<double> costs;  ///< of the budgets that can bind
};

/// Removes every candidate that another one is no worse than in the loss and in every cost. Of equal candidates the one
/// with the lowest index stays. What remains is sorted by rising loss. Returns whether anything was removed.
bool RemoveDominated(std::vector<Candidate>& group);

}  // namespace bitplan::search
