#include "bitplan/problem.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "bitplan/error.h"

namespace bitplan::search {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

Problem TwoGroups() {
  Problem problem;
  for (const char* name : {"first", "second"})
    problem.groups.push_back(
        {name, {name}, {{"w4", 2.0, {{"size", 4}, {"bops", 1}}}, {"w8", 1.0, {{"size", 8}, {"bops", 2}}}}});
  problem.budgets = {{"size", 12}};
  return problem;
}

std::string MessageOf(const Problem& problem) {
  try {
    problem.Validate();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

std::string MessageAfter(const std::function<void(Problem&)>& spoil) {
  Problem problem = TwoGroups();
  spoil(problem);
  return MessageOf(problem);
}

constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinite = std::numeric_limits<double>::infinity();

TEST(ProblemValidate, AcceptsAWellFormedProblem) { EXPECT_EQ(MessageOf(TwoGroups()), ""); }

TEST(ProblemValidate, AcceptsAProblemWithoutBudgetsOrCosts) {
  Problem problem = TwoGroups();
  problem.budgets.clear();
  for (auto& group : problem.groups)
    for (auto& choice : group.choices) choice.costs.clear();
  EXPECT_EQ(MessageOf(problem), "");
}

TEST(ProblemValidate, AcceptsZeroBudgetsAndNegativeObjectives) {
  EXPECT_EQ(MessageAfter([](Problem& p) {
              p.budgets["size"] = 0;
              p.groups[0].choices[0].objective = -3;
            }),
            "");
}

TEST(ProblemValidate, RefusesAProblemWithoutGroups) { EXPECT_THAT(MessageOf(Problem{}), HasSubstr("no groups")); }

TEST(ProblemValidate, NamesAnEmptyGroup) {
  EXPECT_THAT(MessageAfter([](Problem& p) { p.groups[0].choices.clear(); }), HasSubstr("'first'"));
  EXPECT_THAT(MessageAfter([](Problem& p) { p.groups[1].choices.clear(); }), HasSubstr("'second'"));
}

TEST(ProblemValidate, NamesTheGroupWhoseShapeNoLayerCanHave) {
  EXPECT_EQ(MessageAfter([](Problem& p) { p.groups[1].shape = LayerShape{}; }), "");
  for (const LayerShape& bad :
       {LayerShape{.input_channels = 0}, LayerShape{.output_channels = -1}, LayerShape{.kernel_size = 0},
        LayerShape{.stride = -1}, LayerShape{.feature_size = 0}, LayerShape{.parameters = 0}})
    EXPECT_THAT(MessageAfter([&](Problem& p) { p.groups[1].shape = bad; }),
                AllOf(HasSubstr("shape"), HasSubstr("'second'")));
}

TEST(ProblemValidate, NamesDuplicates) {
  EXPECT_THAT(MessageAfter([](Problem& p) { p.groups[1].name = "first"; }), HasSubstr("'first'"));
  EXPECT_THAT(MessageAfter([](Problem& p) { p.groups[1].choices[1].name = "w4"; }),
              AllOf(HasSubstr("'second'"), HasSubstr("'w4'")));
}

TEST(ProblemValidate, NamesTheChoiceWhoseObjectiveIsNotFinite) {
  for (const double bad : {kNotANumber, kInfinite, -kInfinite})
    EXPECT_THAT(MessageAfter([&](Problem& p) { p.groups[1].choices[0].objective = bad; }),
                AllOf(HasSubstr("'second'"), HasSubstr("'w4'"), HasSubstr("objective")));
}

TEST(ProblemValidate, NamesTheCostThatIsNegativeOrNotFinite) {
  for (const double bad : {kNotANumber, kInfinite, -1.0})
    EXPECT_THAT(MessageAfter([&](Problem& p) { p.groups[0].choices[1].costs["bops"] = bad; }),
                AllOf(HasSubstr("'first'"), HasSubstr("'w8'"), HasSubstr("'bops'")));
}

TEST(ProblemValidate, NamesMissingAndUnknownCosts) {
  EXPECT_THAT(MessageAfter([](Problem& p) { p.groups[1].choices[1].costs.erase("bops"); }),
              AllOf(HasSubstr("'second'"), HasSubstr("'w8'"), HasSubstr("'bops'"), HasSubstr("missing")));
  EXPECT_THAT(MessageAfter([](Problem& p) { p.groups[1].choices[1].costs["latency"] = 1; }),
              AllOf(HasSubstr("'w8'"), HasSubstr("'latency'")));
}

TEST(ProblemValidate, NamesBadBudgets) {
  for (const double bad : {kNotANumber, kInfinite, -1.0})
    EXPECT_THAT(MessageAfter([&](Problem& p) { p.budgets["size"] = bad; }), HasSubstr("budget 'size'"));
}

TEST(ProblemValidate, ListsTheKnownCostsWhenABudgetNamesAnother) {
  EXPECT_THAT(MessageAfter([](Problem& p) { p.budgets["latency"] = 1; }),
              AllOf(HasSubstr("'latency'"), HasSubstr("bops, size")));
}

TEST(ProblemValidate, RefusesSumsThatOverflow) {
  EXPECT_THAT(MessageAfter([](Problem& p) {
                for (auto& group : p.groups) group.choices[0].objective = 1.5e308;
              }),
              HasSubstr("objective"));
  EXPECT_THAT(MessageAfter([](Problem& p) {
                for (auto& group : p.groups) group.choices[0].costs["size"] = 1.5e308;
              }),
              HasSubstr("'size'"));
}

TEST(ProblemValidate, GivesMessagesOfOneLine) {
  EXPECT_THAT(MessageAfter([](Problem& p) { p.budgets["latency"] = 1; }), Not(HasSubstr("\n")));
}

}  // namespace
}  // namespace bitplan::search
