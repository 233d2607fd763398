// Every option of every command that takes a number refuses what it cannot use, before any work, by its name and range.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "cli/tool.h"

namespace bitplan::test {
namespace {

using testing::HasSubstr;

/// What an option refuses, and what it says then.
struct Refusal {
  std::vector<std::string> given;
  std::string expected;
};

const std::vector<std::string> kNoCount = {"-5", "0"}, kNegative = {"-5"}, kNoNumber = {"-0.5", "0", "nan", "inf"};

/// By option; by "command option" where that is another one of the same name.
const std::map<std::string, Refusal>& Refusals() {
  static const std::map<std::string, Refusal> refusals = {
      {"accumulator-bits", {{"-5", "0", "49"}, "a whole number from 8 to 48"}},
      {"activation-bits", {{"-5", "0", "9"}, "bits: 1 to 8, 16 or 32"}},
      {"agent-seed", {{"-1"}, "a whole number that is not negative"}},
      {"apart", {kNoCount, "a whole number from 1 on"}},
      {"batch", {kNoCount, "a whole number from 1 on"}},
      {"batch-size", {kNoCount, "a whole number from 1 on"}},
      {"calibration-samples", {kNegative, "a whole number from 0 on"}},
      {"train calibration-samples", {kNoCount, "a whole number from 1 on"}},
      {"candidates", {kNoCount, "a whole number from 1 on"}},
      {"class-axis", {{"-5", "0"}, "an axis from 1 on, or -1"}},
      {"clip-norm", {{"-1", "nan"}, "a number from 0 on"}},
      {"context", {kNoCount, "a whole number from 1 on"}},
      {"crop", {kNoCount, "a whole number from 1 on"}},
      {"crop-padding", {kNegative, "a whole number from 0 on"}},
      {"curvature-samples", {kNoCount, "a whole number from 1 on"}},
      {"deviations", {kNoNumber, "a number above 0"}},
      {"distillation", {{"-0.1", "1.1", "nan"}, "a number from 0 to 1"}},
      {"draws", {kNoCount, "a whole number from 1 on"}},
      {"episodes", {kNoCount, "a whole number from 1 on"}},
      {"epochs", {kNoCount, "a whole number from 1 on"}},
      {"gap", {{"-0.1", "nan", "inf"}, "a number from 0 on"}},
      {"run held-out", {{"-5", "0", "1"}, "a whole number from 2 on"}},
      {"train held-out", {{"-5%", "100%"}, "at least 0% and less than 100%"}},
      {"learning-rate", {kNoNumber, "a number above 0"}},
      {"momentum", {{"-0.1", "1", "nan"}, "a number from 0 and below 1"}},
      {"multiplier-bits", {{"-5", "0", "32"}, "a whole number from 1 to 31"}},
      {"outlier-threshold", {{"-6", "nan", "inf"}, "a number from 0 on"}},
      {"percentile", {{"-5", "0", "100.1", "nan"}, "a number above 0 and up to 100"}},
      {"plans", {{"-5", "0", "9"}, "a whole number from 10 on"}},
      {"precision", {{"-5%", "0%"}, "more than 0%"}},
      {"probes", {kNoCount, "a whole number from 1 on"}},
      {"refine", {kNegative, "a whole number from 0 on"}},
      {"repeats", {{"-5", "0", "2"}, "a whole number from 3 on"}},
      {"resamples", {{"-5", "1"}, "0, or a whole number from 2 on"}},
      {"resize", {kNoCount, "a whole number from 1 on"}},
      {"samples", {kNegative, "a whole number from 0 on"}},
      {"seed", {{"-1"}, "a whole number that is not negative"}},
      {"smoothing", {{"-0.1", "1.1", "nan"}, "a number from 0 to 1"}},
      {"step-factor", {{"-0.1", "0", "1.1", "nan"}, "a number above 0 and up to 1"}},
      {"steps", {kNoCount, "a whole number from 1 on"}},
      {"temperature", {kNoNumber, "a number above 0"}},
      {"time-limit", {{"-1", "0", "nan"}, "seconds above 0"}},
      {"train warm-up", {kNegative, "a whole number from 0 on"}},
      {"warm-up", {kNoCount, "a whole number from 1 on"}},
      {"weight-bits", {{"-5", "0", "9"}, "bits: 1 to 8, 16 or 32"}},
      {"weight-decay", {{"-0.1", "nan"}, "a number from 0 on"}},
      {"weight-group", {kNegative, "a whole number from 0 on"}},
      {"widen", {kNoCount, "a whole number from 1 on"}},
  };
  return refusals;
}

/// Options whose help shows a number, or the name of one, as their value.
std::set<std::string> NumericOptions(const std::string& help) {
  static const std::regex option(R"(--([a-z-]+) (?:(?:N|M|T|BITS|ALPHA|AXIS|EVALS|PERCENT)(?= )|arg \(=[-0-9.,%]+\)))");
  std::set<std::string> options;
  for (std::sregex_iterator found(help.begin(), help.end(), option), none; found != none; ++found)
    options.insert((*found)[1]);
  options.erase("ignore-label");  // any number is a label
  return options;
}

/// What the help says of an option, without the spaces that its lines wrap at.
std::string HelpOf(const std::string& help, const std::string& option) {
  const auto begin = help.find("\n  --" + option + " ") + 3;
  std::string own = help.substr(begin, help.find("\n  --", begin) - begin);
  own.erase(std::remove_if(own.begin(), own.end(), [](unsigned char c) { return std::isspace(c) != 0; }), own.end());
  return own;
}

std::string WithoutSpaces(std::string text) {
  text.erase(std::remove(text.begin(), text.end(), ' '), text.end());
  return text;
}

/// Ranges of options that several commands share are tried to their ends in one of them.
class NumbersOf : public testing::TestWithParam<std::string> {};

TEST_P(NumbersOf, TheCommandAreInTheHelpWithTheirRangesAndRefusedOutsideOfThem) {
  const std::string command = GetParam();
  const Workspace work;
  const std::string help = work.Run(command + " --help").out;
  const std::set<std::string> options = NumericOptions(help);
  EXPECT_TRUE(options.contains("class-axis") || options.contains("gap")) << "the help is not read rightly";
  static const std::set<std::string> in_full = {"analyze", "eval", "profile", "run", "search", "spectrum", "train"};
  for (const std::string& option : options) {
    const auto own = Refusals().find(command + " " + option), shared = Refusals().find(option);
    ASSERT_TRUE(own != Refusals().end() || shared != Refusals().end()) << "no row for --" << option;
    const Refusal& refusal = own != Refusals().end() ? own->second : shared->second;
    EXPECT_THAT(HelpOf(help, option), HasSubstr(WithoutSpaces(refusal.expected))) << option;
    const std::size_t tried = in_full.contains(command) ? refusal.given.size() : 1;
    for (std::size_t i = 0; i < tried; ++i) {
      const std::string& given = refusal.given[i];
      const ToolRun run = work.Run(command + " --" + option + " " + given);
      EXPECT_EQ(run.code, 2) << option << " " << given;
      EXPECT_THAT(run.err, HasSubstr("--" + option + " " + given + ": expected " + refusal.expected));
      EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 1) << run.err;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(AllCommands, NumbersOf, testing::ValuesIn(Commands()),
                         [](const auto& command) { return command.param; });

TEST(Lists, OfNumbersAreRefusedByNameAndRange) {
  const Workspace work;
  const auto expect = [&](const std::string& arguments, const std::string& message) {
    const ToolRun run = work.Run(arguments);
    EXPECT_EQ(run.code, 2) << arguments;
    EXPECT_THAT(run.err, HasSubstr(message)) << arguments;
  };
  expect("analyze resnet20.pt --data cifar10:train.bin --out s.json --weight-bits 4,-2",
         "--weight-bits 4,-2: expected bits: 1 to 8, 16 or 32");
  expect("train resnet20.pt --weight-bits 4 --data cifar10:train.bin --out t.pt --stages 32,4", "bits: 2 to 8, or 16");
  expect("train resnet20.pt --weight-bits 4 --data cifar10:train.bin --out t.pt --stages 8,-6",
         "--stages 8,-6: expected");
  expect("train resnet20.pt --weight-bits 4 --data cifar10:train.bin --out t.pt --schedule step --step-epochs 0",
         "--step-epochs 0: expected a whole number from 1 on");
  expect("train resnet20.pt --weight-bits 4 --data cifar10:train.bin --out t.pt --incremental 50%,120%",
         "--incremental 50%,120%: expected more than 0% and at most 100%");
  const std::string help = work.Run("train --help").out;
  EXPECT_THAT(HelpOf(help, "stages"), HasSubstr("bits:2to8,or16;severalwithcommasbetween"));
  EXPECT_THAT(HelpOf(help, "incremental"), HasSubstr("morethan0%andatmost100%"));
  expect("eval resnet20.pt --data cifar10:test.bin --mean 0.5 --std -1", "--std -1: expected a number above 0");
}

}  // namespace
}  // namespace bitplan::test
