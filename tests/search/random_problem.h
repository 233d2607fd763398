#pragma once

#include <cstdint>

#include "bitplan/problem.h"

namespace bitplan::search_test {

/// A small problem, different for every seed: 1 … 6 groups of 1 … 5 choices, 0 … 4 budgets from hopeless to generous.
/// Among them are whole numbers with many ties, negative objectives, costs of zero, equal choices, budgets of zero and
/// budgets that some plan meets exactly.
Problem RandomProblem(std::uint64_t seed);

/// `groups` groups of `choices` choices with real-valued costs, `budgets` budgets about half way up.
Problem LargeProblem(std::uint64_t seed, int groups, int choices, int budgets);

/// As LargeProblem, but of `sizes` sizes of groups only, whole costs in proportion to them, and objectives that are the
/// same for all groups of a size but for a share of `tie`: what near ties and symmetry between layers look like.
Problem TiedProblem(std::uint64_t seed, int groups, int sizes, int choices, int budgets, double tie);

/// Each cost of the last budget times a number of 1 - noise … 1 + noise: as measured, no two are equal.
/// Costs of about even numbers from 2 to 20, `noise` off, losses that fall with them but for a tenth, and odd budgets,
/// which whole plans leave a unit of.
Problem EvenProblem(std::uint64_t seed, int groups, int choices, int budgets, double noise);

/// Whole costs up to 1,000, losses that follow from them, and budgets that some plan meets exactly.
Problem SumProblem(std::uint64_t seed, int groups, int choices, int budgets);

void Measure(std::uint64_t seed, double noise, Problem& problem);

/// Some rules on one to three groups each, which may contradict each other, and sometimes prices.
void AddRandomRulesAndPrices(std::uint64_t seed, Problem& problem);

}  // namespace bitplan::search_test
