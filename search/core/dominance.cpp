#include "core/dominance.h"

#include <algorithm>
#include <tuple>

namespace bitplan::search {
namespace {

bool NoDearer(const Candidate& a, const Candidate& b) {
  return std::equal(a.costs.begin(), a.costs.end(), b.costs.begin(), [](double x, double y) { return x <= y; });
}

}  // namespace

bool RemoveDominated(std::vector<Candidate>& group) {
  // In this order a candidate can only be dominated by an earlier one.
  std::sort(group.begin(), group.end(), [](const Candidate& a, const Candidate& b) {
    return std::tie(a.loss, a.costs, a.choice) < std::tie(b.loss, b.costs, b.choice);
  });
  std::vector<Candidate> kept;
  for (auto& candidate : group) {
    const auto beats = [&](const Candidate& other) { return NoDearer(other, candidate); };
    if (std::none_of(kept.begin(), kept.end(), beats)) kept.push_back(std::move(candidate));
  }
  const bool removed = kept.size() < group.size();
  group = std::move(kept);
  return removed;
}

}  // namespace bitplan::search
