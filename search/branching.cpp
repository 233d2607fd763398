#include "search/branching.h"

#include <algorithm>

namespace bitplan::search {
namespace {

/// The lowest figure of the group's columns; false when all are equal.
bool SetLowestThreshold(const Core& core, const Subproblem& part, std::size_t group, Branch& branch) {
  double low = kInfinity, high = -kInfinity;
  for (Index c = part.first[group]; c < part.first[group + 1]; ++c) {
    low = std::min(low, branch.Figure(core, part.column[c]));
    high = std::max(high, branch.Figure(core, part.column[c]));
  }
  branch.threshold = low;
  return low < high;
}

}  // namespace

std::vector<Branch> ProposeBranches(const Core& core, const Subproblem& part, const Relaxation& relaxation) {
  std::vector<Branch> branches;
  const auto& split = relaxation.split;
  for (std::size_t begin = 0, end = 0; begin < split.size(); begin = end) {
    const Index group = core.group[split[begin].column];
    while (end < split.size() && core.group[split[end].column] == group) ++end;
    if (part.settled[group] != Subproblem::kFree) continue;
    for (Index figure = 0; figure <= core.budgets(); ++figure) {
      Branch branch{.group = group, .figure = figure, .threshold = 0, .below = true};
      double total = 0;
      for (std::size_t s = begin; s < end; ++s) {
        branch.threshold += split[s].value * branch.Figure(core, split[s].column);
        total += split[s].value;
      }
      branch.threshold /= total;
      branches.push_back(branch);
    }
  }
  // No two columns of a group agree in all figures, so that one of these has two sides.
  for (Index figure = 0; figure <= core.budgets(); ++figure) {
    Branch branch{.group = part.free_group[0], .figure = figure, .threshold = 0, .below = true};
    if (!SetLowestThreshold(core, part, 0, branch)) continue;
    branches.push_back(branch);
    break;
  }
  return branches;
}

}  // namespace bitplan::search
