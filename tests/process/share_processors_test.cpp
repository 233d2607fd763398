#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <memory>
#include <string>

#include "bitplan/process.h"

namespace bitplan::process {
namespace {

using testing::HasSubstr;

/// What the program says, and what OpenMP says of its settings, started with these before it.
std::string Said(const std::string& settings, const std::string& arguments = "") {
  const std::string command = "env -u OMP_NUM_THREADS -u OMP_WAIT_POLICY -u GOMP_SPINCOUNT OMP_DISPLAY_ENV=verbose " +
                              settings + " " BITPLAN_SHARED_PROCESSORS " " + arguments + " 2>&1; echo code $?";
  const auto close = [](FILE* file) { pclose(file); };
  const std::unique_ptr<FILE, decltype(close)> pipe(popen(command.c_str(), "r"), close);
  std::string text;
  for (std::array<char, 256> part; fgets(part.data(), part.size(), pipe.get());) text += part.data();
  // Of a program that is started twice OpenMP speaks twice: what counts is the last word.
  return text.substr(std::min(text.size(), text.rfind("OPENMP DISPLAY ENVIRONMENT BEGIN")));
}

TEST(ShareProcessors, ThreadsThatWaitSleep) {
  const std::string said = Said("");
  EXPECT_THAT(said, HasSubstr("OMP_WAIT_POLICY = 'PASSIVE'"));
  EXPECT_THAT(said, HasSubstr("GOMP_SPINCOUNT = '0'"));
  EXPECT_THAT(said, HasSubstr("starts 2,"));
}

TEST(ShareProcessors, TheUsersWordOnWaitingCounts) {
  const std::string active = Said("OMP_WAIT_POLICY=active");
  EXPECT_THAT(active, HasSubstr("OMP_WAIT_POLICY = 'ACTIVE'"));
  EXPECT_THAT(active, HasSubstr("starts 1,"));
  const std::string spinning = Said("GOMP_SPINCOUNT=77");
  EXPECT_THAT(spinning, HasSubstr("GOMP_SPINCOUNT = '77'"));
  EXPECT_THAT(spinning, HasSubstr("starts 1,"));
}

TEST(ShareProcessors, ArgumentsAndExitCodeStay) {
  const std::string said = Said("", "'a b' --x=1 ''");
  EXPECT_THAT(said, HasSubstr("arguments [a b] [--x=1] []\n"));
  EXPECT_THAT(said, HasSubstr("code 7"));
}

TEST(ShareProcessors, ThreadsAreNoMoreThanTheProcessIsBoundTo) {
  EXPECT_THAT(Said("taskset -c $(taskset -cp $$ | sed 's/.*[: ]//; s/[,-].*//')"), HasSubstr("threads 1,"));
}

TEST(ShareProcessors, TheUsersNumberOfThreadsCounts) {
  EXPECT_THAT(Said("OMP_NUM_THREADS=1"), HasSubstr("threads 1,"));
}

}  // namespace
}  // namespace bitplan::process
