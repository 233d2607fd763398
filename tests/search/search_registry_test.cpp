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

/// Takes the first choice of every group. A name of its own, which the library has never heard of.
class First : public SearchAlgorithm {
 public:
  explicit First(std::string name = "first-choice") : name_(std::move(name)) {}
  std::string name() const override { return name_; }
  SearchTraits traits() const override { return {.takes_joint_term = true}; }

 private:
  Solution FindPlan(const Problem& problem, const SearchOptions&) const override {
    Solution solution;
    solution.choices.resize(problem.groups.size());
    solution.objective = ObjectiveOf(problem, solution.choices);
    return solution;
  }

  const std::string name_;
};

TEST(SearchRegistry, HasTheMethodsOfSearchAndWhatIsAdded) {
  SearchRegistry searches;
  EXPECT_THAT(searches.Names(), ElementsAre("greedy", "exact", "convex"));
  EXPECT_THAT(searches.NamesForJointTerms(), ElementsAre("convex"));
  searches.Add(std::make_shared<First>());
  EXPECT_THAT(searches.Names(), ElementsAre("greedy", "exact", "convex", "first-choice"));
  EXPECT_THAT(searches.NamesForJointTerms(), ElementsAre("convex", "first-choice"));
  EXPECT_FALSE(SearchRegistry().Has("first-choice"));  // nothing is shared
  const Problem problem = RandomJointProblem(3, JointKind::Matrix);
  const Solution solution = searches.Solve(problem, {.method = "first-choice"});
  EXPECT_EQ(solution.choices, std::vector<std::size_t>(problem.groups.size()));
  EXPECT_EQ(solution.method, "first-choice");
}

TEST(SearchRegistry, RefusesWhatIsThereTwiceOrNotAtAll) {
  SearchRegistry searches;
  EXPECT_THAT([&] { searches.Get("first-choice"); }, ThrowsMessage<Error>(HasSubstr("one of: greedy, exact, convex")));
  searches.Add(std::make_shared<First>());
  EXPECT_THAT([&] { searches.Add(std::make_shared<First>()); },
              ThrowsMessage<Error>(HasSubstr("first-choice is registered twice")));
}

TEST(SearchRegistry, TakesNamesThatFilesAndTheCommandLineCanHold) {
  SearchRegistry searches;
  for (const char* name : {"", "two words", "Greedy", "a=b"})
    EXPECT_THAT([&] { searches.Add(std::make_shared<First>(name)); },
                ThrowsMessage<Error>(HasSubstr("'" + std::string(name) + "'")));
  EXPECT_THAT(searches.Names(), ElementsAre("greedy", "exact", "convex"));
}

TEST(ProvingMethod, ProvesWhatItIsAskedFor) {
  EXPECT_EQ(ProvingMethod(false), "exact");
  EXPECT_EQ(ProvingMethod(true), "convex");
}

TEST(StandIn, IsOneOfSearch) {
  for (const std::string& method : SearchRegistry().Names()) EXPECT_EQ(StandIn(method, true), method);
  EXPECT_EQ(StandIn("agent", false), "exact");
  EXPECT_EQ(StandIn("agent", true), "convex");
}

}  // namespace
}  // namespace bitplan::search_test
