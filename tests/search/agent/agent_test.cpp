#include "bitplan/agent.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/serialize.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <random>

#include "bitplan/error.h"
#include "bitplan/files.h"
#include "ddpg.h"
#include "files/temporary_folder.h"
#include "search/brute_force.h"
#include "search/random_joint_problem.h"
#include "search/random_problem.h"

namespace bitplan::search_test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::ThrowsMessage;

AgentOptions Short(std::uint64_t seed = 1) { return {.episodes = 12, .warm_up = 4, .seed = seed, .certificate = {}}; }

void ExpectTheTruth(const Problem& problem, const Truth& truth, const Solution& solution) {
  ASSERT_EQ(solution.status == SolutionStatus::Infeasible, !truth.feasible) << problem.name;
  EXPECT_EQ(solution.method, "agent");
  if (!truth.feasible) return;
  const double slack = 1e-9 * std::max(1.0, std::abs(truth.optimum));
  EXPECT_TRUE(WithinBudgets(problem, solution.choices)) << problem.name;
  EXPECT_TRUE(KeepsRules(problem, solution.choices)) << problem.name;
  EXPECT_NEAR(solution.objective, Objective(problem, solution.choices), slack) << problem.name;
  EXPECT_GE(solution.objective, truth.optimum - slack) << problem.name;
  EXPECT_NEAR(solution.bound, truth.optimum, slack) << problem.name;
  EXPECT_EQ(solution.status == SolutionStatus::Optimal, solution.gap == 0) << problem.name;
}

TEST(Agent, StaysWithinBudgetsAndTellsItsDistanceFromTheOptimum) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Problem problem = RandomProblem(seed);
    if (seed % 3 == 0) AddRandomRulesAndPrices(seed, problem);
    const Truth truth = BruteForce(problem);
    if (truth.keeps_rules) ExpectTheTruth(problem, truth, SearchByAgent(problem, Short(seed)).solution);
  }
}

TEST(Agent, TakesJointTerms) {
  for (std::uint64_t seed = 0; seed < 12; ++seed)
    for (const JointKind kind : {JointKind::Matrix, JointKind::Divergence}) {
      const Problem problem = RandomJointProblem(seed, kind);
      ExpectTheTruth(problem, BruteForce(problem), SearchByAgent(problem, Short(seed)).solution);
    }
}

/// A step of its own, with the reward −8 (a − 0.7)²: the actor goes there.
TEST(Ddpg, FindsTheActionOfTheLargestReward) {
  agent::Ddpg agent(512, 3);
  std::mt19937_64 random(3);
  const agent::AgentState state{0.5F, 0.2F};
  for (int i = 0; i < 400; ++i) {
    const double action = static_cast<double>(random() % 1000) / 999;
    agent.Remember({state, action, -8 * (action - 0.7) * (action - 0.7), {}, true});
  }
  for (int i = 0; i < 1500; ++i) agent.Update(random);
  EXPECT_NEAR(agent.Act(state), 0.7, 0.05);
}

/// Of two steps, the second one's best action is the first one's, and both are rewarded with what became of them
/// together.
TEST(Ddpg, LearnsActionsThatDependOnEarlierOnes) {
  agent::Ddpg agent(4096, 4);
  std::mt19937_64 random(4);
  const agent::AgentState first{0, 1};
  const auto second = [](double action) { return agent::AgentState{1, 0, static_cast<float>(action)}; };
  for (int i = 0; i < 2000; ++i) {
    const double a = static_cast<double>(random() % 1000) / 999, b = static_cast<double>(random() % 1000) / 999;
    const double reward = 4 * a - 4 * (a - b) * (a - b);
    agent.Remember({first, a, reward, second(a), false});
    agent.Remember({second(a), b, reward, {}, true});
  }
  for (int i = 0; i < 2500; ++i) agent.Update(random);
  EXPECT_GT(agent.Act(first), 0.85);
  EXPECT_GT(agent.Act(second(0.9)), agent.Act(second(0.1)) + 0.3);
}

TEST(Agent, ComesNearTheOptimumOfASmallProblem) {
  const Problem problem = LargeProblem(5, 6, 4, 1);
  AgentOptions options;
  options.episodes = 220;
  const AgentResult result = SearchByAgent(problem, options);
  EXPECT_LT(result.solution.gap, 0.05);
  EXPECT_EQ(result.episodes.size(), 220U);
  double best = result.episodes[0].loss;
  for (std::size_t i = 0; i < result.episodes.size(); ++i) {
    best = std::min(best, result.episodes[i].loss);
    EXPECT_EQ(result.episodes[i].best, best);
    EXPECT_NEAR(result.episodes[i].noise, i < 20 ? 0 : 0.5 * std::pow(0.99, static_cast<double>(i) - 20), 1e-12);
  }
  EXPECT_EQ(result.solution.objective, best);
}

TEST(Agent, GivesTheSameCurveForTheSameSeed) {
  const Problem problem = LargeProblem(2, 8, 4, 2);
  const auto curve = [&](std::uint64_t seed) { return ToCsv(SearchByAgent(problem, Short(seed)).episodes); };
  EXPECT_EQ(curve(1), curve(1));
  EXPECT_NE(curve(1), curve(2));
  EXPECT_THAT(curve(1), testing::StartsWith("episode,loss,best,noise\n1,"));
  EXPECT_THAT(ToSvg(SearchByAgent(problem, Short()).episodes), HasSubstr("best so far"));
  EXPECT_THROW(ToSvg(std::vector<AgentEpisode>{}), Error);
}

TEST(Agent, MinimizesAMeasuredLossInsteadWhenThereIsOne) {
  const Problem problem = LargeProblem(3, 4, 3, 1);
  std::map<std::vector<std::size_t>, double> measured;
  AgentOptions options = Short();
  options.episodes = 40;
  options.measured_loss = [&](const std::vector<std::size_t>& choices) {
    EXPECT_FALSE(measured.contains(choices)) << "a plan was measured twice";
    double loss = 0;
    for (const std::size_t choice : choices) loss += static_cast<double>(choice);
    return measured[choices] = loss;
  };
  const AgentResult result = SearchByAgent(problem, options);
  double least = 1e9;
  for (const auto& [choices, loss] : measured) least = std::min(least, loss);
  EXPECT_EQ(measured.at(result.solution.choices), least);
  EXPECT_EQ(result.solution.objective, ObjectiveOf(problem, result.solution.choices));
  EXPECT_LE(result.solution.bound, result.solution.objective);
  for (const double bad : {std::nan(""), -1.0}) {
    options.measured_loss = [&](const std::vector<std::size_t>&) { return bad; };
    EXPECT_THAT([&] { SearchByAgent(problem, options); }, ThrowsMessage<Error>(HasSubstr("measured loss")));
  }
}

/// A file of its own, gone at the end.
class AgentCheckpoint : public testing::Test {
 protected:
  AgentCheckpoint() { std::filesystem::remove(file_); }
  ~AgentCheckpoint() override { std::filesystem::remove(file_); }

  AgentOptions With(std::int64_t episodes, std::uint64_t seed = 1) const {
    AgentOptions options = Short(seed);
    options.episodes = episodes;
    options.checkpoint = file_;
    return options;
  }

  const std::filesystem::path file_ =
      std::filesystem::temp_directory_path() /
      (std::string("agent-") + testing::UnitTest::GetInstance()->current_test_info()->name());
  const Problem problem_ = LargeProblem(2, 8, 4, 2);
};

TEST_F(AgentCheckpoint, GoesOnToTheSameResultAsWithoutABreak) {
  AgentOptions whole = With(34);
  whole.checkpoint.clear();
  const AgentResult expected = SearchByAgent(problem_, whole);
  for (const std::int64_t breaks_at : {2, 4, 19}) {  // in the warm-up, at its end, and later
    std::filesystem::remove(file_);
    AgentOptions broken = With(34);
    std::int64_t asked = 0;
    broken.stop = [&] { return ++asked > breaks_at; };
    EXPECT_EQ(std::ssize(SearchByAgent(problem_, broken).episodes), breaks_at);
    const AgentResult resumed = SearchByAgent(problem_, With(34));
    EXPECT_EQ(ToCsv(resumed.episodes), ToCsv(expected.episodes)) << breaks_at;
    EXPECT_EQ(resumed.solution.choices, expected.solution.choices);
  }
  AgentOptions more = With(40);
  EXPECT_EQ(SearchByAgent(problem_, more).episodes.size(), 40U);
}

TEST_F(AgentCheckpoint, OfAnotherSearchIsRefused) {
  SearchByAgent(problem_, With(6));
  const auto message = [&](const Problem& problem, const AgentOptions& options, const char* part) {
    EXPECT_THAT([&] { SearchByAgent(problem, options); }, ThrowsMessage<Error>(HasSubstr(part)));
  };
  message(problem_, With(6, 2), "another seed: 1 there, 2 here");
  message(LargeProblem(3, 8, 4, 2), With(6), "another problem");
  message(problem_, With(5), "6 episodes already");
  WriteFile(file_, "something else");
  message(problem_, With(6), "no checkpoint");
  AgentOptions elsewhere = With(6);
  elsewhere.checkpoint = "/no/such/folder/agent";
  message(problem_, elsewhere, "cannot be written");
}

/// A byte of every step changed, and the file cut short.
TEST_F(AgentCheckpoint, WithBytesOverwrittenOrMissingIsRefused) {
  SearchByAgent(problem_, With(6));
  const std::string whole = Contents(file_);
  const auto expect = [&](const std::string& bytes) {
    WriteFile(file_, bytes);
    EXPECT_EQ(Contents(file_), bytes);
    EXPECT_THAT(
        [&] { SearchByAgent(problem_, With(8)); },
        ThrowsMessage<Error>(AllOf(HasSubstr(file_.string() + ": "),
                                   HasSubstr("damaged checkpoint, remove it to start anew"), Not(HasSubstr("\n")))));
  };
  for (const char* step : {"actor0", "critic3", "target_actor1", "target_critic5", "replay", "actor_optimizer",
                           "critic_optimizer", "remembered", "random", "episodes", "best"}) {
    std::string changed = whole;
    const std::size_t at = changed.find(step);
    ASSERT_NE(at, std::string::npos) << step;
    char& byte = changed[at + std::string(step).size() + 2];  // of its numbers
    byte = static_cast<char>(byte ^ 4);
    expect(changed);
  }
  for (const std::size_t size : {whole.size() / 2, whole.size() - 1}) expect(whole.substr(0, size));
}

TEST_F(AgentCheckpoint, OfAnotherMeasuredLossIsRefused) {
  AgentOptions options = With(6);
  options.measured_loss = [&](const std::vector<std::size_t>& choices) { return ObjectiveOf(problem_, choices); };
  options.measured_by = "on some samples";
  SearchByAgent(problem_, options);
  SearchByAgent(problem_, options);
  options.measured_by = "on other samples";
  EXPECT_THAT([&] { SearchByAgent(problem_, options); },
              ThrowsMessage<Error>(HasSubstr("another measured by: on some samples there, on other samples here")));
  EXPECT_THAT([&] { SearchByAgent(problem_, With(6)); }, ThrowsMessage<Error>(HasSubstr("another measured loss")));
}

/// Wherever a byte is changed: the search goes on as if it had not been, or is refused in one line.
TEST_F(AgentCheckpoint, WithAnyByteChangedIsRefusedOrRead) {
  SearchByAgent(problem_, With(6));
  const std::string whole = Contents(file_);
  const AgentResult expected = SearchByAgent(problem_, With(6));
  std::mt19937 random(5);
  for (int i = 0; i < 60; ++i) {
    std::string changed = whole;
    char& byte = changed[random() % changed.size()];
    byte = static_cast<char>(byte ^ (1 << random() % 8));
    WriteFile(file_, changed);
    try {
      EXPECT_EQ(ToCsv(SearchByAgent(problem_, With(6)).episodes), ToCsv(expected.episodes));
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), AllOf(HasSubstr(file_.string()), Not(HasSubstr("\n"))));
    }
  }
}

/// Another program's archive.
TEST_F(AgentCheckpoint, ThatIsAnotherArchiveIsRefused) {
  torch::save(at::ones({3}), file_.string());
  EXPECT_THAT([&] { SearchByAgent(problem_, With(6)); }, ThrowsMessage<Error>(HasSubstr("is no checkpoint")));
}

TEST(Agent, StopsWhenAskedTo) {
  AgentOptions options = Short();
  options.stop = [] { return true; };
  const AgentResult none = SearchByAgent(LargeProblem(2, 8, 4, 2), options);
  EXPECT_EQ(none.solution.status, SolutionStatus::Unknown);
  EXPECT_TRUE(none.episodes.empty());
}

TEST(Agent, NamesOptionsOutOfRange) {
  const Problem problem = LargeProblem(2, 4, 3, 1);
  EXPECT_THAT([&] { SearchByAgent(problem, {.episodes = 0, .certificate = {}}); },
              ThrowsMessage<Error>(HasSubstr("episodes")));
  EXPECT_THAT([&] { SearchByAgent(problem, {.warm_up = 0, .certificate = {}}); },
              ThrowsMessage<Error>(HasSubstr("warm_up")));
  EXPECT_THROW(SearchByAgent(Problem{}, {}), Error);
  EXPECT_THAT([&] { Search(problem, {.method = "agent"}); }, ThrowsMessage<Error>(HasSubstr("SearchByAgent")));
}

}  // namespace
}  // namespace bitplan::search_test
