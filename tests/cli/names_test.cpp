// Options that take one of some names: the help has them all, and others are refused before any work.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <string>

#include "cli/tool.h"

namespace bitplan::test {
namespace {

using testing::HasSubstr;

/// The help's lines wrap.
std::string WithoutSpace(std::string text) {
  text.erase(std::remove_if(text.begin(), text.end(), [](unsigned char c) { return std::isspace(c) != 0; }),
             text.end());
  return text;
}

struct EnumOption {
  std::string command, option;
};

class NamesOf : public testing::TestWithParam<EnumOption> {};

TEST_P(NamesOf, TheOptionAreInTheHelpAndOthersAreRefused) {
  const auto& [command, option] = GetParam();
  const Workspace work;
  const ToolRun run = work.Run(command + " --" + option + " no-such-name");
  EXPECT_EQ(run.code, 2);
  const std::string said = "--" + option + " no-such-name: expected ";
  ASSERT_THAT(run.err, HasSubstr(said));
  const std::string names = run.err.substr(run.err.find(said) + said.size());
  EXPECT_THAT(names, HasSubstr(" or "));
  const std::string help = work.Run(command + " --help").out;
  EXPECT_THAT(WithoutSpace(help), HasSubstr(":" + WithoutSpace(names)));
}

INSTANTIATE_TEST_SUITE_P(Options, NamesOf,
                         testing::Values(EnumOption{"search", "method"}, EnumOption{"search", "measure"},
                                         EnumOption{"search", "widths"}, EnumOption{"analyze", "weight-type"},
                                         EnumOption{"analyze", "activation-calibrator"}, EnumOption{"analyze", "loss"},
                                         EnumOption{"analyze", "delta"}, EnumOption{"run", "reward"},
                                         EnumOption{"quantize", "rounding"}, EnumOption{"train", "method"},
                                         EnumOption{"train", "activation-method"}, EnumOption{"train", "schedule"},
                                         EnumOption{"eval", "overflow"}, EnumOption{"profile", "on"},
                                         EnumOption{"inspect", "target"}, EnumOption{"analyze", "measures"},
                                         EnumOption{"validate", "measures"}, EnumOption{"analyze", "device"}),
                         [](const auto& test) {
                           std::string name = test.param.command + "_" + test.param.option;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace bitplan::test
