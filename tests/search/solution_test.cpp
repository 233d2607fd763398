#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bitplan/error.h"
#include "bitplan/search.h"

namespace bitplan::search {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

Problem TwoChoices(double budget) {
  Problem problem;
  problem.groups = {{"a", {}, {{"w4", 2, {{"size", 4}}}, {"w8", 1, {{"size", 8}}}}}};
  problem.budgets = {{"size", budget}};
  return problem;
}

TEST(SearchNames, AreListedWhenOneIsUnknown) {
  for (const char* name : {"exhaustive", "", "Exact"}) {
    try {
      Search(TwoChoices(8), {.method = name});
      FAIL();
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), AllOf(HasSubstr("'" + std::string(name) + "'"), HasSubstr("greedy, exact, convex")));
    }
  }
}

TEST(SearchNames, TellEveryStatusApart) {
  EXPECT_EQ(ToString(SolutionStatus::Optimal), "optimal");
  EXPECT_EQ(ToString(SolutionStatus::Feasible), "feasible");
  EXPECT_EQ(ToString(SolutionStatus::Infeasible), "infeasible");
  EXPECT_EQ(ToString(SolutionStatus::Unknown), "unknown");
}

TEST(BriefReport, GivesStatusObjectiveBoundGapAndTimeInOneLine) {
  const std::string report = BriefReport(Search(TwoChoices(8), {}));
  EXPECT_THAT(report,
              AllOf(StartsWith("optimal: objective 1, bound 1, gap 0, "), HasSubstr(" s"), Not(HasSubstr("\n"))));
}

TEST(BriefReport, SaysWhichBudgetCannotBeMetAndByHowMuch) {
  const std::string report = BriefReport(Search(TwoChoices(3), {}));
  EXPECT_THAT(report,
              AllOf(StartsWith("infeasible"), HasSubstr("at least 4 of 'size', limit 3"), Not(HasSubstr("\n"))));
}

TEST(BriefReport, SaysWhenBudgetsCannotBeMetTogether) {
  Problem problem = TwoChoices(6);
  problem.groups[0].choices[0].costs["bops"] = 9;
  problem.groups[0].choices[1].costs["bops"] = 2;
  problem.budgets["bops"] = 4;
  EXPECT_THAT(BriefReport(Search(problem, {})),
              AllOf(StartsWith("infeasible"), HasSubstr("together"), HasSubstr("8 of 'size', limit 6")));
}

TEST(BriefReport, SaysThatNothingIsKnown) {
  Solution solution;
  solution.status = SolutionStatus::Unknown;
  solution.bound = 0.25;
  EXPECT_THAT(BriefReport(solution), AllOf(StartsWith("unknown"), HasSubstr("0.25"), Not(HasSubstr("\n"))));
}

}  // namespace
}  // namespace bitplan::search
