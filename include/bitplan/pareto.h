#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "bitplan/problem.h"
#include "bitplan/search.h"

namespace bitplan {

/// A cost whose budget is moved. From what the problem's budget on it allows (without one, from what the best plan
/// spends) down to the least that plans within the other budgets can spend.
struct ParetoAxis {
  std::string cost;
  std::size_t levels =
      0;  ///< how many budgets, evenly spaced, both ends included: 2 or more; 0: wherever the best plan changes
};

struct ParetoOptions {
  std::vector<ParetoAxis> axes;  ///< one, or a grid of two, which needs levels
  SearchOptions search;          ///< `time_limit_seconds` is for all points together

  void Validate(const Problem& problem) const;  ///< throws Error
};

struct ParetoPoint {
  std::map<std::string, double> budgets;  ///< the problem's, with those of the axes in their places
  Solution solution;                      ///< its bound is on the plans within `budgets`
};

struct ParetoFront {
  std::vector<ParetoPoint> points;  ///< by rising cost of the first axis, then of the second
  bool complete = false;            ///< every level was solved to the gap asked for before the time was up
};

/// Plans of which none is at least as good as another in the objective and in the axes' costs. With one axis of 0
/// levels and a gap of 0, all there are: of plans that spend no more, none has a lower objective (costs that agree to
/// kBudgetTolerance count as equal). By the ε-constraint method (Haimes, Lasdon and Wismer 1971). Other budgets of the
/// problem hold throughout. A point's bound takes in what was proven for looser budgets. Throws Error as Search does.
/// No points: the problem is infeasible, or the time was up.
ParetoFront FindParetoFront(const Problem& problem, const ParetoOptions& options);

}  // namespace bitplan
