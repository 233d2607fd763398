#include "tree/branching.h"

#include <algorithm>

namespace bitplan::search {
namespace {

/// Which of the group's columns are on the same side as the first.
std::vector<char> WithFirst(const Core& core, const Subproblem& part, std::size_t group, const Branch& branch) {
  const bool first = branch.Keeps(core, part.column[part.first[group]]);
  std::vector<char> with;
  for (Index c = part.first[group]; c < part.first[group + 1]; ++c)
    with.push_back(branch.Keeps(core, part.column[c]) == first);
  return with;
}

/// The branches at the means of `split`, shares of one group's columns, that divide its columns differently.
void ProposeAtMeans(const Core& core, const Subproblem& part, std::size_t group, const std::vector<Share>& split,
                    std::size_t budgets, std::vector<Branch>& branches) {
  std::vector<std::vector<char>> seen = {std::vector<char>(part.first[group + 1] - part.first[group], 1)};
  for (Index figure = 0; figure <= budgets; ++figure) {
    Branch branch{.group = part.free_group[group], .figure = figure, .threshold = 0, .below = true};
    double total = 0;
    for (const Share& share : split) {
      branch.threshold += share.value * branch.Figure(core, share.column);
      total += share.value;
    }
    branch.threshold /= total;
    auto with = WithFirst(core, part, group, branch);
    if (std::find(seen.begin(), seen.end(), with) != seen.end()) continue;
    seen.push_back(std::move(with));
    branches.push_back(branch);
  }
}

/// The columns with the lowest figure of the first free group against the rest, by the first figure that tells any two
/// columns apart: they do not agree in all.
Branch DivideFirstGroup(const Core& core, const Subproblem& part) {
  Branch branch{.group = part.free_group[0], .figure = 0, .threshold = 0, .below = true};
  for (Index figure = 0; figure <= core.budgets(); ++figure) {
    branch.figure = figure;
    double low = kInfinity, high = -kInfinity;
    for (Index c = part.first[0]; c < part.first[1]; ++c) {
      low = std::min(low, branch.Figure(core, part.column[c]));
      high = std::max(high, branch.Figure(core, part.column[c]));
    }
    branch.threshold = low;
    if (low < high) break;
  }
  return branch;
}

}  // namespace

std::vector<Branch> ProposeBranches(const Core& core, const Subproblem& part, const Relaxation& relaxation,
                                    std::size_t budgets) {
  std::vector<Branch> branches;
  for (std::size_t g = 0; g < part.groups(); ++g) {
    std::vector<Share> split;
    for (const Share& share : relaxation.split)
      if (core.group[share.column] == part.free_group[g]) split.push_back(share);
    if (!split.empty()) ProposeAtMeans(core, part, g, split, budgets, branches);
  }
  if (branches.empty()) branches.push_back(DivideFirstGroup(core, part));
  return branches;
}

}  // namespace bitplan::search
