// On ResNet-20's own problem: its gauss-newton figures of 512 training images, weights of 2, 3, 4, 6 or 8 bits, 3 on
// average. resnet20-3.json is what MakeProblem makes of `bitplan analyze resnet20.pt --data cifar10:train.bin --samples
// 512
// --measures gauss-newton,logit-shift` with the budget average_bits=3.
#include <gtest/gtest.h>

#include <cstdio>

#include "bitplan/agent.h"
#include "bitplan/plan.h"

namespace bitplan::agent {
namespace {

TEST(AgentOnResNet20, BeatsRandomSearchWithAsManyEvaluations) {
  const Problem problem = ReadProblem(BITPLAN_TEST_DIR "/search/agent/resnet20-3.json");
  ASSERT_EQ(problem.groups.size(), 20U);
  for (const std::uint64_t seed : {1, 2, 3}) {
    AgentOptions options;
    options.seed = seed;
    const Solution learned = SearchByAgent(problem, options).solution;
    options.warm_up = options.episodes;
    const Solution random = SearchByAgent(problem, options).solution;
    EXPECT_LT(learned.objective, 0.8 * random.objective) << seed;
    EXPECT_EQ(learned.bound, Search(problem, {}).objective);
    std::printf("seed %d: %.2f %% above the optimum, random search %.2f %%\n", static_cast<int>(seed),
                100 * (learned.objective / learned.bound - 1), 100 * (random.objective / learned.bound - 1));
  }
}

}  // namespace
}  // namespace bitplan::agent
