// What ToLp writes is solved by CBC, which shares no code with bitplan's searches.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "bitplan/error.h"
#include "bitplan/search.h"
#include "search/brute_force.h"
#include "search/random_joint_problem.h"
#include "search/random_problem.h"
#include "search/read_instance.h"

namespace bitplan::search_test {
namespace {

/// The choices that CBC takes; nothing when it finds the problem infeasible.
std::optional<std::vector<std::size_t>> SolveByCbc(const Problem& problem) {
  const auto stem = std::filesystem::temp_directory_path() / ("bitplan-lp-" + std::to_string(getpid()));
  const std::string lp = stem.string() + ".lp", answer = stem.string() + ".txt";
  std::ofstream(lp) << ToLp(problem);
  const std::string command =
      std::string(BITPLAN_CBC) + " '" + lp + "' ratioGap 0 allowableGap 0 solve solu '" + answer + "' > /dev/null";
  EXPECT_EQ(std::system(command.c_str()), 0);
  std::ifstream in(answer);
  std::string line;
  std::getline(in, line);
  std::optional<std::vector<std::size_t>> choices;
  if (line.find("nfeasible") == std::string::npos) {
    EXPECT_TRUE(line.starts_with("Optimal")) << line;
    choices.emplace(problem.groups.size(), 0);
    while (std::getline(in, line)) {
      std::istringstream words(line);
      std::string number, name;
      double value = 0;
      words >> number >> name >> value;
      if (name[0] != 'x' || value < 0.5) continue;
      const auto middle = name.find('_');
      choices->at(std::stoul(name.substr(1, middle - 1))) = std::stoul(name.substr(middle + 1));
    }
  }
  std::filesystem::remove(lp);
  std::filesystem::remove(answer);
  return choices;
}

void ExpectCbcAgrees(const Problem& problem, int& feasible) {
  const Solution solution = Search(problem, {});
  const auto choices = SolveByCbc(problem);
  ASSERT_EQ(choices.has_value(), !solution.choices.empty()) << problem.name;
  if (!choices) return;
  ++feasible;
  const double objective = Objective(problem, *choices);
  EXPECT_NEAR(solution.objective, objective, 1e-7 * std::max(1.0, std::abs(objective))) << problem.name;
}

TEST(LpFormat, IsSolvedByCbcToTheSameOptimum) {
  int feasible = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Problem problem = RandomProblem(seed);
    AddRandomRulesAndPrices(seed, problem);
    if (BruteForce(problem).keeps_rules) ExpectCbcAgrees(problem, feasible);
  }
  EXPECT_GT(feasible, 20);
}

TEST(LpFormat, OfPublishedProblemsIsSolvedByCbcToTheSameOptimum) {
  int feasible = 0;
  for (const auto& name : HawqInstances()) ExpectCbcAgrees(ReadInstance(name).problem, feasible);
  EXPECT_EQ(feasible, 9);
}

TEST(LpFormat, SaysAQuadraticObjectiveAsTheFormatHasIt) {
  Problem problem;
  problem.name = "two\nlines";
  problem.groups = {{"a", {}, {{"x", 1, {{"c", 2}}}, {"y", 0, {{"c", 1}}}}}, {"b\tc", {}, {{"z", -3, {{"c", 0}}}}}};
  problem.budgets = {{"c", 2}};
  problem.joint = QuadraticTerm{{4, 0, 1, 0, 2, 0, 1, 0, 8}};
  EXPECT_EQ(ToLp(problem), R"(\ two lines
\ the objective is multiplied by 128
\ x0_0: a, x
\ x0_1: a, y
\ x1_0: b c, z
minimize
 obj:
  + 128 x0_0
  - 384 x1_0
  + [
  + 512 x0_0 ^ 2
  + 256 x0_1 ^ 2
  + 1024 x1_0 ^ 2
  + 256 x1_0 * x0_0
  ] / 2
subject to
 group0:
  + 1 x0_0
  + 1 x0_1
  = 1
 group1:
  + 1 x1_0
  = 1
\ budget c
 budget0:
  + 1024 x0_0
  + 512 x0_1
  <= 1024
binary
  x0_0
  x0_1
  x1_0
end
)");
}

TEST(LpFormat, HasNoWayToSayADivergence) {
  const Problem problem = RandomJointProblem(1, JointKind::Divergence);
  EXPECT_THAT([&] { ToLp(problem); }, testing::ThrowsMessage<Error>(testing::HasSubstr("divergence")));
}

}  // namespace
}  // namespace bitplan::search_test
