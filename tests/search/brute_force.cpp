#include "search/brute_force.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "bitplan/search.h"

namespace bitplan::search_test {
namespace {

constexpr double kWorstOfAll = std::numeric_limits<double>::infinity();

/// Counts `choices` up like a number whose digits have as many values as the groups have choices; false after the last.
bool Next(const Problem& problem, std::vector<std::size_t>& choices) {
  for (std::size_t g = 0; g < choices.size(); ++g) {
    if (++choices[g] < problem.groups[g].choices.size()) return true;
    choices[g] = 0;
  }
  return false;
}

double Peak(const Problem& problem, const std::vector<std::size_t>& choices) {
  double peak = 0;
  for (const auto& [cost, limit] : problem.budgets) {
    const double spent = Spent(problem, cost, choices);
    peak = std::max(peak, limit > 0 ? spent / limit : (spent > 0 ? kWorstOfAll : 0.0));
  }
  return peak;
}

double Joint(const QuadraticTerm& term, const std::vector<std::size_t>& taken, std::size_t choices) {
  double sum = 0;
  for (const std::size_t a : taken)
    for (const std::size_t b : taken) sum += term.matrix[a * choices + b] / 2;
  return sum;
}

std::vector<double> Softmax(std::vector<double> logits) {
  double sum = 0;
  for (double& logit : logits) sum += logit = std::exp(logit);
  for (double& logit : logits) logit /= sum;
  return logits;
}

double LossOf(const LogitTerm& term, const float* logits, const std::vector<double>& shift) {
  double loss = 0, mean = 0;
  if (term.loss == LogitLoss::SquaredShift) {
    for (const double value : shift) mean += value / static_cast<double>(shift.size());
    for (const double value : shift) loss += (value - mean) * (value - mean) / 2;
    return loss;
  }
  std::vector<double> before(shift.size()), after(shift.size());
  for (std::size_t c = 0; c < shift.size(); ++c) {
    before[c] = logits[c] / term.temperature;
    after[c] = (logits[c] + shift[c]) / term.temperature;
  }
  before = Softmax(before);
  after = Softmax(after);
  for (std::size_t c = 0; c < shift.size(); ++c) loss += before[c] * std::log(before[c] / after[c]);
  return loss * term.temperature * term.temperature;
}

double Joint(const LogitTerm& term, const std::vector<std::size_t>& taken, std::size_t) {
  double sum = 0;
  for (std::size_t n = 0; n < term.samples; ++n) {
    std::vector<double> shift(term.classes, 0.0);
    for (const std::size_t choice : taken)
      for (std::size_t c = 0; c < term.classes; ++c)
        shift[c] += double{term.shifts[(choice * term.samples + n) * term.classes + c]};
    sum += LossOf(term, term.logits.empty() ? nullptr : &term.logits[n * term.classes], shift);
  }
  return term.scale * sum / static_cast<double>(term.samples);
}

double Joint(const Problem& problem, const std::vector<std::size_t>& choices) {
  std::vector<std::size_t> taken;
  std::size_t before = 0;
  for (std::size_t g = 0; g < choices.size(); ++g) {
    taken.push_back(before + choices[g]);
    before += problem.groups[g].choices.size();
  }
  return std::visit([&](const auto& term) { return Joint(term, taken, before); }, *problem.joint);
}

}  // namespace

double Spent(const Problem& problem, const std::string& cost, const std::vector<std::size_t>& choices) {
  double sum = 0;
  for (std::size_t g = 0; g < choices.size(); ++g) sum += problem.groups[g].choices.at(choices[g]).costs.at(cost);
  return sum;
}

double Objective(const Problem& problem, const std::vector<std::size_t>& choices) {
  double sum = problem.joint ? Joint(problem, choices) : 0;
  for (std::size_t g = 0; g < choices.size(); ++g) {
    const Choice& choice = problem.groups[g].choices.at(choices[g]);
    sum += choice.objective;
    for (const auto& [cost, price] : problem.prices) sum += price * choice.costs.at(cost);
  }
  return sum;
}

bool KeepsRules(const Problem& problem, const std::vector<std::size_t>& choices) {
  return std::all_of(problem.rules.begin(), problem.rules.end(), [&](const Rule& rule) {
    std::vector<std::string> taken;
    for (const auto& name : rule.groups)
      for (std::size_t g = 0; g < choices.size(); ++g)
        if (problem.groups[g].name == name) taken.push_back(problem.groups[g].choices[choices[g]].name);
    return std::find(rule.allowed.begin(), rule.allowed.end(), taken) != rule.allowed.end();
  });
}

bool WithinBudgets(const Problem& problem, const std::vector<std::size_t>& choices) {
  return std::all_of(problem.budgets.begin(), problem.budgets.end(), [&](const auto& budget) {
    return Spent(problem, budget.first, choices) <= budget.second * (1 + 1e-9);
  });
}

std::vector<std::vector<std::size_t>> AllPlans(const Problem& problem) {
  std::vector<std::vector<std::size_t>> plans;
  std::vector<std::size_t> choices(problem.groups.size(), 0);
  do {
    if (KeepsRules(problem, choices) && WithinBudgets(problem, choices)) plans.push_back(choices);
  } while (Next(problem, choices));
  return plans;
}

Truth BruteForce(const Problem& problem) {
  Truth truth{.keeps_rules = false, .feasible = false, .optimum = kWorstOfAll, .least = {}, .least_peak = kWorstOfAll};
  for (const auto& [cost, limit] : problem.budgets) truth.least[cost] = kWorstOfAll;
  std::vector<std::size_t> choices(problem.groups.size(), 0);
  do {
    if (!KeepsRules(problem, choices)) continue;
    truth.keeps_rules = true;
    for (auto& [cost, least] : truth.least) least = std::min(least, Spent(problem, cost, choices));
    truth.least_peak = std::min(truth.least_peak, Peak(problem, choices));
    if (!WithinBudgets(problem, choices)) continue;
    truth.feasible = true;
    truth.optimum = std::min(truth.optimum, Objective(problem, choices));
  } while (Next(problem, choices));
  return truth;
}

void ExpectTheOptimum(const Problem& problem) {
  const Truth truth = BruteForce(problem);
  const Solution solution = Search(problem, {});
  EXPECT_EQ(solution.status, truth.feasible ? SolutionStatus::Optimal : SolutionStatus::Infeasible) << problem.name;
  if (!truth.feasible || solution.choices.empty()) return;
  EXPECT_NEAR(solution.objective, truth.optimum, 1e-12 * truth.optimum) << problem.name;
  EXPECT_TRUE(WithinBudgets(problem, solution.choices)) << problem.name;
}

}  // namespace bitplan::search_test
