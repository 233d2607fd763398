#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "bitplan/agent.h"
#include "bitplan/error.h"
#include "search/random_problem.h"
#include "search/registered_searches.h"

namespace bitplan::search_test {

/// A short one, since what is promised does not hang on what it learns.
SearchRegistry RegisteredSearches() {
  SearchRegistry searches;
  AddAgent(searches, {.episodes = 8, .warm_up = 4, .seed = 1, .certificate = {}});
  return searches;
}

namespace {

TEST(AddAgent, SearchesAsSearchByAgentAndGivesTheCurve) {
  const Problem problem = LargeProblem(3, 6, 4, 2);
  const AgentOptions options{.episodes = 10, .warm_up = 3, .seed = 7, .certificate = {}};
  std::vector<AgentEpisode> curve;
  SearchRegistry searches;
  AddAgent(searches, options, [&](const std::vector<AgentEpisode>& episodes) { curve = episodes; });
  const Solution solution = searches.Solve(problem, {.method = "agent"});
  const AgentResult alone = SearchByAgent(problem, options);
  EXPECT_EQ(solution.choices, alone.solution.choices);
  EXPECT_EQ(solution.objective, alone.solution.objective);
  EXPECT_EQ(solution.bound, alone.solution.bound);
  ASSERT_EQ(curve.size(), 10u);
  for (std::size_t i = 0; i < curve.size(); ++i) EXPECT_EQ(curve[i].loss, alone.episodes[i].loss);
}

TEST(AddAgent, StopsAndReportsAsTheSearchIsTold) {
  SearchRegistry searches;
  AddAgent(searches);
  SearchOptions options{.method = "agent"};
  int asked = 0, reports = 0;
  options.stop = [&] { return ++asked > 3; };
  options.progress = [&](const Progress&) { ++reports; };
  searches.Solve(LargeProblem(2, 8, 4, 2), options);
  EXPECT_GT(asked, 3);
  EXPECT_GT(reports, 0);
}

TEST(AddAgent, RefusesOptionsOutOfRangeAndASecondAgent) {
  SearchRegistry searches;
  EXPECT_THROW(AddAgent(searches, {.episodes = 0, .certificate = {}}), Error);
  AddAgent(searches);
  EXPECT_THROW(AddAgent(searches), Error);
}

}  // namespace
}  // namespace bitplan::search_test
