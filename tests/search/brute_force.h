#pragma once

#include <map>
#include <string>
#include <vector>

#include "bitplan/problem.h"

namespace bitplan::search_test {

/// What trying every plan tells about a problem.
struct Truth {
  bool keeps_rules = false;  ///< whether any plan does; the others do not count
  bool feasible = false;
  double optimum = 0;                   ///< the least objective within the budgets
  std::map<std::string, double> least;  ///< per budget, the least that any plan spends
  double least_peak = 0;  ///< the least, over plans, of the largest share of a budget spent; infinite when none
};
Truth BruteForce(const Problem& problem);

/// Every plan that keeps the rules and the budgets.
std::vector<std::vector<std::size_t>> AllPlans(const Problem& problem);

double Spent(const Problem& problem, const std::string& cost, const std::vector<std::size_t>& choices);
double Objective(const Problem& problem, const std::vector<std::size_t>& choices);  ///< joint term and prices included
bool KeepsRules(const Problem& problem, const std::vector<std::size_t>& choices);

/// Whether each cost is at most 1 + 1e-9 times its budget.
bool WithinBudgets(const Problem& problem, const std::vector<std::size_t>& choices);

/// Expects of the exact search what trying every plan tells. For positive objectives.
void ExpectTheOptimum(const Problem& problem);

}  // namespace bitplan::search_test
