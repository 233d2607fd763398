// What options say that cannot be used as they were given.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/refusal.h"
#include "cli/tool.h"

namespace bitplan::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(Options, ThatHaveNoSignAreRefusedWithOne) {
  const Workspace work;
  const std::string eval = "eval resnet20.pt --data cifar10:test.bin --samples 8 ";
  EXPECT_THAT(Refusal(work, eval + "--seed -1"), HasSubstr("--seed -1: expected a whole number that is not negative"));
  EXPECT_THAT(Refusal(work, eval + "--seed=-3"), HasSubstr("--seed -3"));
  work.Write("o.ini", "seed = -1\n");
  EXPECT_THAT(Refusal(work, eval + "--config o.ini"), HasSubstr("--seed -1"));
  EXPECT_THAT(Refusal(work, "search s.json --method agent --agent-seed -1"), HasSubstr("--agent-seed -1"));
}

TEST(Options, ThatAreNumbersSayWhatTheyTake) {
  const Workspace work;
  const std::string eval = "eval resnet20.pt --data cifar10:test.bin ";
  for (const char* const text : {"nan", "1.5", "1e30", "''", "12x", "99999999999999999999"})
    EXPECT_THAT(Refusal(work, eval + "--samples " + text), HasSubstr(": expected a whole number"));
  EXPECT_THAT(Refusal(work, eval + "--samples ''"), HasSubstr("--samples '': expected"));
  EXPECT_THAT(Refusal(work, eval + "--ignore-label none"), HasSubstr("--ignore-label none: expected a whole number"));
  EXPECT_THAT(Refusal(work, eval + "--weight-group 2.5"), HasSubstr("--weight-group 2.5: expected a whole number"));
  for (const char* const text : {"nan", "inf", "0,5", "''"})
    EXPECT_THAT(Refusal(work, eval + "--percentile " + text), HasSubstr(": expected a number"));
  EXPECT_EQ(work.Run(eval + "--samples +8").code, 0);
}

TEST(Options, OfFilesNameOne) {
  const Workspace work;
  const std::string data = " resnet20.pt --data cifar10:train.bin ";
  for (const std::string& command : std::vector<std::string>{
           "analyze" + data + "--out ''", "calibrate" + data + "--out ''", "analyze" + data + "--out s.json --json ''",
           "train" + data + "--weight-bits 4 --out ''", "train" + data + "--weight-bits 4 --out t.pt --curve-csv ''",
           "quantize resnet20.pt plan.json --out q.pt --packed ''", "spectrum" + data + "--csv ''",
           "search s.json --out ''", "search s.json --write-lp ''", "pareto s.json --svg ''",
           "run" + data + "--test cifar10:test.bin --budget weight_size=20% --out-dir ''",
           "eval" + data + "--plan '' --json x.json", "eval" + data + "--config ''"})
    EXPECT_THAT(Refusal(work, command), HasSubstr(" '': expected the name of a file or folder")) << command;
}

TEST(Options, OfSharesSayWhichTheyTake) {
  const Workspace work;
  const std::string train = "train resnet20.pt --weight-bits 4 --data cifar10:train.bin --out t.pt ";
  EXPECT_THAT(Refusal(work, train + "--held-out 100%"),
              HasSubstr("--held-out 100%: expected at least 0% and less than 100%"));
  EXPECT_THAT(Refusal(work, "analyze resnet20.pt --data cifar10:train.bin --out s.json --precision 0%"),
              AllOf(HasSubstr("--precision 0%: expected more than 0% and less than 100%"), HasSubstr("without it")));
  EXPECT_THAT(Refusal(work, train + "--held-out many"), HasSubstr("expected a percentage, as 5%"));
}

}  // namespace
}  // namespace bitplan::test
