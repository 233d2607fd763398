#include "search/random_problem.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

namespace bitplan::search_test {
namespace {

using Generator = std::mt19937_64;

double Uniform(Generator& random, double low, double high) {
  return std::uniform_real_distribution<double>(low, high)(random);
}

int Whole(Generator& random, int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); }

Choice RandomChoice(Generator& random, int number, int budgets, bool whole) {
  Choice choice{.name = fmt::format("c{}", number), .objective = 0, .costs = {}};
  choice.objective = whole ? Whole(random, -4, 8) : Uniform(random, -1, 3);
  for (int i = 0; i < budgets; ++i) {
    const double cost = whole ? Whole(random, 0, 6) : Uniform(random, 0, 5);
    choice.costs[fmt::format("cost{}", i)] = Whole(random, 0, 9) == 0 ? 0 : cost;
  }
  choice.costs["unlimited"] = Uniform(random, 0, 1);
  return choice;
}

/// From a share of the way between the least and the most that plans spend, to what one plan spends exactly.
double RandomBudget(Generator& random, const Problem& problem, const std::string& cost) {
  double least = 0, most = 0, one = 0;
  for (const auto& group : problem.groups) {
    double low = group.choices[0].costs.at(cost), high = low;
    for (const auto& choice : group.choices) {
      low = std::min(low, choice.costs.at(cost));
      high = std::max(high, choice.costs.at(cost));
    }
    least += low;
    most += high;
    one +=
        group.choices[static_cast<std::size_t>(Whole(random, 0, static_cast<int>(group.choices.size()) - 1))].costs.at(
            cost);
  }
  const int kind = Whole(random, 0, 9);
  if (kind == 0) return 0;
  if (kind <= 3) return one;
  return std::max(0.0, least + Uniform(random, -0.05, 0.9) * (most - least));
}

}  // namespace

Problem RandomProblem(std::uint64_t seed) {
  Generator random(seed);
  Problem problem;
  problem.name = fmt::format("random {}", seed);
  const int budgets = Whole(random, 0, 4);
  const bool whole = Whole(random, 0, 1) == 1;
  const int groups = Whole(random, 1, 6);
  for (int g = 0; g < groups; ++g) {
    auto& group = problem.groups.emplace_back();
    group.name = fmt::format("g{}", g);
    const int choices = Whole(random, 1, 5);
    for (int c = 0; c < choices; ++c) {
      group.choices.push_back(RandomChoice(random, c, budgets, whole));
      if (c > 0 && Whole(random, 0, 7) == 0) {
        group.choices.back() = group.choices.front();
        group.choices.back().name = fmt::format("c{}", c);
      }
    }
  }
  for (int i = 0; i < budgets; ++i) {
    const auto cost = fmt::format("cost{}", i);
    problem.budgets[cost] = RandomBudget(random, problem, cost);
  }
  return problem;
}

Problem LargeProblem(std::uint64_t seed, int groups, int choices, int budgets) {
  Generator random(seed);
  Problem problem;
  problem.name = fmt::format("large {}", seed);
  for (int g = 0; g < groups; ++g) {
    auto& group = problem.groups.emplace_back();
    group.name = fmt::format("g{}", g);
    for (int c = 0; c < choices; ++c) {
      Choice choice{.name = fmt::format("c{}", c), .objective = Uniform(random, 0, 10), .costs = {}};
      // Costs fall as the objective rises, so that most choices matter and the budgets compete.
      for (int i = 0; i < budgets; ++i)
        choice.costs[fmt::format("cost{}", i)] = 10 - choice.objective + Uniform(random, 0, 4);
      group.choices.push_back(choice);
    }
  }
  for (int i = 0; i < budgets; ++i) problem.budgets[fmt::format("cost{}", i)] = 6.5 * groups;
  return problem;
}

Problem TiedProblem(std::uint64_t seed, int groups, int sizes, int choices, int budgets, double tie) {
  Generator random(seed);
  std::normal_distribution<double> normal;
  Problem problem;
  problem.name = fmt::format("tied {}, {} groups, tie {}", seed, groups, tie);
  std::vector<int> units;
  for (int s = 0; s < sizes; ++s) units.push_back(Whole(random, 1, 9));
  std::vector<double> errors;
  std::vector<std::vector<int>> widths;  // per choice and budget
  for (int c = 0; c < choices; ++c) {
    errors.push_back(std::pow(4.0, -c) * Uniform(random, 0.9, 1.1));
    auto& of_choice = widths.emplace_back();
    for (int i = 0; i < budgets; ++i) of_choice.push_back(2 + c + Whole(random, 0, i));
  }
  for (int g = 0; g < groups; ++g) {
    auto& group = problem.groups.emplace_back();
    group.name = fmt::format("g{}", g);
    const int unit = units[static_cast<std::size_t>(g % sizes)];
    for (int c = 0; c < choices; ++c) {
      const auto at = static_cast<std::size_t>(c);
      Choice choice{fmt::format("c{}", c), errors[at] * (1 + tie * normal(random)), {}};
      for (int i = 0; i < budgets; ++i)
        choice.costs[fmt::format("cost{}", i)] = unit * widths[at][static_cast<std::size_t>(i)];
      group.choices.push_back(choice);
    }
  }
  for (int i = 0; i < budgets; ++i) {
    const auto cost = fmt::format("cost{}", i);
    double least = 0, most = 0;
    for (const auto& group : problem.groups) {
      least += group.choices.front().costs.at(cost);
      most += group.choices.back().costs.at(cost);
    }
    problem.budgets[cost] = std::floor(least + Uniform(random, 0.2, 0.6) * (most - least));
  }
  return problem;
}

Problem EvenProblem(std::uint64_t seed, int groups, int choices, int budgets, double noise) {
  Generator random(seed);
  std::normal_distribution<double> normal;
  Problem problem;
  problem.name = fmt::format("even {}, {} groups of {}, budgets {}", seed, groups, choices, budgets);
  std::map<std::string, double> least, most;
  for (int g = 0; g < groups; ++g) {
    std::vector<std::vector<int>> costs(static_cast<std::size_t>(budgets));
    for (auto& of_budget : costs) {
      for (int c = 0; c < choices; ++c) of_budget.push_back(2 * Whole(random, 1, 10));
      std::sort(of_budget.begin(), of_budget.end());
    }
    auto& group = problem.groups.emplace_back();
    group.name = fmt::format("g{}", g);
    for (int c = 0; c < choices; ++c) {
      Choice choice{fmt::format("c{}", c), 0, {}};
      double mean = 0;
      for (int i = 0; i < budgets; ++i) {
        const int cost = costs[static_cast<std::size_t>(i)][static_cast<std::size_t>(c)];
        mean += static_cast<double>(cost) / budgets;
        choice.costs[fmt::format("cost{}", i)] = cost * (1 + noise * normal(random));
      }
      choice.objective = (24 - mean) * (1 + 0.1 * normal(random));
      group.choices.push_back(choice);
    }
    for (int i = 0; i < budgets; ++i) {
      least[fmt::format("cost{}", i)] += costs[static_cast<std::size_t>(i)].front();
      most[fmt::format("cost{}", i)] += costs[static_cast<std::size_t>(i)].back();
    }
  }
  for (const auto& [cost, low] : least)
    problem.budgets[cost] = 2 * std::floor((low + 0.75 * (most[cost] - low)) / 2) + 1;
  return problem;
}

Problem SumProblem(std::uint64_t seed, int groups, int choices, int budgets) {
  Generator random(seed);
  Problem problem;
  problem.name = fmt::format("sum {}, {} groups of {}, budgets {}", seed, groups, choices, budgets);
  for (int g = 0; g < groups; ++g) {
    auto& group = problem.groups.emplace_back();
    group.name = fmt::format("g{}", g);
    std::vector<std::vector<int>> costs(static_cast<std::size_t>(budgets));
    for (auto& of_budget : costs) {
      for (int c = 0; c < choices; ++c) of_budget.push_back(Whole(random, 1, 1000));
      std::sort(of_budget.begin(), of_budget.end());
    }
    const int met = Whole(random, 0, choices - 1);
    for (int c = 0; c < choices; ++c) {
      Choice choice{fmt::format("c{}", c), 1200, {}};
      for (int i = 0; i < budgets; ++i) {
        const int cost = costs[static_cast<std::size_t>(i)][static_cast<std::size_t>(c)];
        choice.objective -= static_cast<double>(cost) / budgets;
        choice.costs[fmt::format("cost{}", i)] = cost;
        if (c == met) problem.budgets[fmt::format("cost{}", i)] += cost;
      }
      group.choices.push_back(choice);
    }
  }
  return problem;
}

void Measure(std::uint64_t seed, double noise, Problem& problem) {
  Generator random(seed + 7000);
  const std::string measured = problem.budgets.rbegin()->first;
  for (Group& group : problem.groups)
    for (Choice& choice : group.choices) choice.costs[measured] *= Uniform(random, 1 - noise, 1 + noise);
  problem.name += fmt::format(", noise {}", noise);
}

void AddRandomRulesAndPrices(std::uint64_t seed, Problem& problem) {
  Generator random(seed + 5000);
  const int groups = static_cast<int>(problem.groups.size());
  for (int r = Whole(random, 0, 3); r > 0; --r) {
    std::vector<Group> members = problem.groups;
    std::shuffle(members.begin(), members.end(), random);
    members.resize(static_cast<std::size_t>(Whole(random, 1, std::min(3, groups))));
    Rule rule;
    for (const auto& member : members) rule.groups.push_back(member.name);
    for (int row = Whole(random, 1, 12); row > 0; --row) {
      auto& allowed = rule.allowed.emplace_back();
      for (const auto& member : members) allowed.push_back(member.choices[random() % member.choices.size()].name);
    }
    problem.rules.push_back(std::move(rule));
  }
  if (Whole(random, 0, 2) == 0) problem.prices["unlimited"] = Uniform(random, 0, 5);
  if (problem.budgets.contains("cost0") && Whole(random, 0, 2) == 0) problem.prices["cost0"] = Uniform(random, 0, 1);
}

}  // namespace bitplan::search_test
