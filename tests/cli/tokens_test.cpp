// A language model on streams of tokens, against figures of PyTorch (tokens/make_tokens.py).
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/tool.h"

namespace bitplan::test {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

class Tokens : public ::testing::Test {
 protected:
  Tokens() {
    for (const char* name : {"lm.pt", "train.bin", "test.npy"})
      std::filesystem::copy_file(Folder() / name, work_ / fmt::format("t{}", name));
  }

  static std::filesystem::path Folder() { return std::filesystem::path(BITPLAN_TEST_DIR) / "cli" / "tokens"; }

  std::string Done(const std::string& arguments) const {
    const ToolRun run = work_.Run(arguments);
    EXPECT_EQ(run.code, 0) << run.err;
    return run.out;
  }

  Workspace work_;
  const std::string train_ = " --data tokens:ttrain.bin,uint16 --context 8 --ignore-label 0 ";
  const std::string test_ = " --data tokens:ttest.npy --context 8 --ignore-label 0 ";
};

TEST_F(Tokens, AreJudgedByLossAndPerplexity) {
  const json expected = json::parse(std::ifstream(Folder() / "expected.json"));
  const json evaluation = json::parse(Done("eval tlm.pt" + test_ + "--json -"))["float"];
  EXPECT_EQ(evaluation["total"], expected["total"]);
  EXPECT_NEAR(evaluation["loss"].get<double>(), expected["loss"].get<double>(), 1e-6);
  EXPECT_NEAR(evaluation["perplexity"].get<double>(), expected["perplexity"].get<double>(), 1e-5);
  EXPECT_THAT(Done("eval tlm.pt" + test_), HasSubstr("perplexity"));
}

TEST_F(Tokens, AreAnalyzedAndAPlanRemembersTheContext) {
  Done("analyze tlm.pt" + train_ + "--samples 32 --weight-bits 2,4,8 --activation-bits 8 --out s.json");
  EXPECT_EQ(json::parse(std::ifstream(work_ / "s.json"))["data"]["context"], 8);
  Done("search s.json --budget weight_size=20% --out p.json");
  Done("quantize tlm.pt p.json --out q.pt");  // calibrates on the data that the plan knows
  const json evaluation = json::parse(Done("eval tlm.pt --plan p.json" + test_ + "--json -"));
  EXPECT_GT(evaluation["planned"]["perplexity"].get<double>(), 1);
  EXPECT_EQ(json::parse(Done("eval tlm.pt --plan p.json --data tokens:ttest.npy --json -")), evaluation);
  const ToolRun other = work_.Run("eval tlm.pt --plan p.json --data tokens:ttest.npy --context 4");
  EXPECT_EQ(other.code, 0) << other.err;
  EXPECT_THAT(other.err, HasSubstr("--context 4: the plan was made on data prepared with 8"));
}

/// Found out after the first steps: to go on from these would be refused again.
TEST_F(Tokens, ThatTheNetworkDoesNotKnowAreRefusedWithoutACheckpoint) {
  std::string bytes = work_.Read("ttrain.bin");
  bytes[bytes.size() / 4 * 3] = '\x60';
  bytes[bytes.size() / 4 * 3 + 1] = '\xea';  // 60,000
  work_.Write("bad.bin", bytes);
  const ToolRun run = work_.Run(
      "analyze tlm.pt --data tokens:bad.bin,uint16 --context 8 --ignore-label 0 --ignore-label 60000 --samples 0 "
      "--batch-size 4 --measures logit-shift --weight-bits 4 --out s.json");
  EXPECT_EQ(run.code, 2);
  EXPECT_THAT(run.err, AllOf(HasSubstr("index out of range"), ::testing::Not(HasSubstr("--resume"))));
  EXPECT_FALSE(std::filesystem::exists(work_ / "s.json.checkpoint"));
}

TEST_F(Tokens, GoThroughAWholeRun) {
  Done("run tlm.pt" + train_ +
       "--test tokens:ttest.npy --samples 32 --weight-bits 2,4,8 --budget average_bits=4.25 --out-dir result");
  const json evaluation = json::parse(std::ifstream(work_ / "result" / "evaluation.json"));
  for (const char* network : {"float", "planned"})
    EXPECT_NEAR(evaluation[network]["perplexity"].get<double>(), std::exp(evaluation[network]["loss"].get<double>()),
                1e-6);
}

TEST_F(Tokens, AreRefusedInALineWhereTheyHaveNoWindows) {
  const ToolRun run = work_.Run("eval tlm.pt --data tokens:ttest.npy");
  EXPECT_EQ(run.code, 2);
  EXPECT_THAT(run.err, AllOf(HasSubstr("ttest.npy: is one stream of 403 tokens"), HasSubstr("--context")));
}

}  // namespace
}  // namespace bitplan::test
