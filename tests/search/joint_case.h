#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "joint/joint_objective.h"
#include "joint/shifted_bounder.h"
#include "search/random_joint_problem.h"
#include "tree/infeasibility.h"

namespace bitplan::search {

using search_test::JointKind;

/// With the budgets, where each can be met.
inline Core CoreOf(const Problem& problem) {
  Problem separable{problem.name, "", problem.groups, problem.budgets, {}};
  if (FindUnmeetableBudget(separable)) separable.budgets.clear();
  return BuildCore(separable, Goal::Loss, Dominated::Kept);
}

struct Case {
  Problem problem;
  Core core;
  std::unique_ptr<JointObjective> objective;
};

inline Case MakeCase(std::uint64_t seed, JointKind kind) {
  Case made;
  made.problem = search_test::RandomJointProblem(seed, kind);
  made.core = CoreOf(made.problem);
  std::vector<Together> parts(made.core.columns());
  Eigen::VectorXd linear(static_cast<Eigen::Index>(parts.size()));
  std::vector<std::size_t> before{0};
  for (const auto& group : made.problem.groups) before.push_back(before.back() + group.choices.size());
  for (std::size_t c = 0; c < parts.size(); ++c) {
    parts[c] = {before[made.core.group[c]] + made.core.choice[c]};
    linear[static_cast<Eigen::Index>(c)] =
        made.problem.groups[made.core.group[c]].choices[made.core.choice[c]].objective;
  }
  made.objective = MakeJointObjective(*made.problem.joint, made.problem.ChoiceCount(), std::move(linear), parts);
  return made;
}

inline JointNode WholeOf(const JointRegion& region) {
  return {{}, std::vector<char>(region.order.column.size(), 1), region.point};
}

/// Shows every plan of a node: its columns of the core, group by group, and the positions that the free groups take.
using Show = std::function<void(const CorePlan&, const std::vector<Index>&)>;
inline void ForEachPlan(const Core& core, const JointRegion& region, const JointNode& node, const Show& show) {
  const auto depth = static_cast<Index>(node.settled.size());
  const Index begin = region.order.first[depth];
  CorePlan plan(core.groups());
  std::vector<Index> taken;
  for (const Index column : region.settled) plan[core.group[column]] = column;
  const auto place = [&](Index position) {
    const Index column = region.order.column[position];
    plan[core.group[column]] = column;
  };
  for (const Index position : node.settled) place(position);
  const std::function<void(Index)> visit = [&](Index g) {
    if (g == region.order.groups()) return show(plan, taken);
    for (Index c = region.order.first[g]; c < region.order.first[g + 1]; ++c) {
      if (!node.allowed[c - begin]) continue;
      place(c);
      taken.push_back(c);
      visit(g + 1);
      taken.pop_back();
    }
  };
  visit(depth);
}

inline std::string NameOfKind(const testing::TestParamInfo<JointKind>& kind) {
  constexpr const char* kNames[] = {"Matrix", "SquaredShift", "Divergence"};
  return kNames[static_cast<std::size_t>(kind.param)];
}

}  // namespace bitplan::search
