#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "bitplan/search.h"

namespace bitplan::search {

/// What was found, in the problem's own numbers.
struct Outcome {
  std::vector<std::size_t> choices;
  double objective = 0, bound = 0;
  std::int64_t nodes = 0;
  bool complete = false;
  std::map<std::string, double> shadow_prices;
};

/// `gap`: the one asked for.
Solution Describe(const Problem& problem, Outcome outcome, double gap);
Solution Infeasible(const Infeasibility& why, std::int64_t nodes);
Solution Unknown(double bound, std::int64_t nodes);

std::map<std::string, double> CostsOf(const Problem& problem, const std::vector<std::size_t>& choices);

/// The gap to search to: gaps of 1 and above would let any plan pass.
inline double GapToReach(const SearchOptions& options) { return std::min(options.gap, 0.99); }

}  // namespace bitplan::search
