#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "bitplan/error.h"
#include "bitplan/search.h"
#include "search/random_joint_problem.h"
#include "search/random_problem.h"

namespace bitplan::search_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

/// Takes the first choice of every group.
class First : public SearchAlgorithm {
 public:
  SearchMethod method() const override { return SearchMethod::Agent; }
  SearchTraits traits() const override { return {.takes_joint_term = true}; }

 private:
  Solution FindPlan(const Problem& problem, const SearchOptions&) const override {
    Solution solution;
    solution.method = method();
    solution.choices.resize(problem.groups.size());
    solution.objective = ObjectiveOf(problem, solution.choices);
    return solution;
  }
};

TEST(SearchRegistry, HasTheMethodsOfSearchAndWhatIsAdded) {
  SearchRegistry searches;
  EXPECT_THAT(searches.Names(), ElementsAre("greedy", "exact", "convex"));
  EXPECT_THAT(searches.NamesForJointTerms(), ElementsAre("convex"));
  searches.Add(std::make_shared<First>());
  EXPECT_THAT(searches.Names(), ElementsAre("greedy", "exact", "convex", "agent"));
  EXPECT_THAT(searches.NamesForJointTerms(), ElementsAre("convex", "agent"));
  EXPECT_FALSE(SearchRegistry().Has(SearchMethod::Agent));  // nothing is shared
  const Problem problem = RandomJointProblem(3, JointKind::Matrix);
  EXPECT_EQ(searches.Solve(problem, {.method = SearchMethod::Agent}).choices,
            std::vector<std::size_t>(problem.groups.size()));
}

TEST(SearchRegistry, RefusesWhatIsThereTwiceOrNotAtAll) {
  SearchRegistry searches;
  EXPECT_THAT([&] { searches.Parse("agent"); }, ThrowsMessage<Error>(HasSubstr("one of: greedy, exact, convex")));
  EXPECT_THAT([&] { searches.Get(SearchMethod::Agent); }, ThrowsMessage<Error>(HasSubstr("greedy, exact, convex")));
  searches.Add(std::make_shared<First>());
  EXPECT_THAT([&] { searches.Add(std::make_shared<First>()); },
              ThrowsMessage<Error>(HasSubstr("agent is registered twice")));
}

TEST(ProvingMethod, ProvesWhatItIsAskedFor) {
  EXPECT_EQ(ProvingMethod(false), SearchMethod::Exact);
  EXPECT_EQ(ProvingMethod(true), SearchMethod::Convex);
}

TEST(StandIn, IsOneOfSearch) {
  for (const SearchMethod method : SearchRegistry().Methods()) EXPECT_EQ(StandIn(method, true), method);
  EXPECT_EQ(StandIn(SearchMethod::Agent, false), SearchMethod::Exact);
  EXPECT_EQ(StandIn(SearchMethod::Agent, true), SearchMethod::Convex);
}

}  // namespace
}  // namespace bitplan::search_test
