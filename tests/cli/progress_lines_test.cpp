#include "progress_lines.h"

#include <gtest/gtest.h>

#include <vector>

namespace bitplan::cli {
namespace {

using std::chrono::seconds;

TEST(ProgressLines, ComeOnceAMinuteWithTheShareDoneAndTheTimeLeft) {
  const Pace::Time begun{};
  ProgressLines lines(begun);
  // A step each 15 s, of 20: 300 s in all.
  std::vector<std::string> written;
  for (int step = 0; step <= 20; ++step)
    if (const auto line = lines.Next({"eigenvalues", step, 20}, begun + seconds(15 * step))) written.push_back(*line);
  EXPECT_EQ(written, (std::vector<std::string>{
                         "eigenvalues: 20% done (4 of 20), 4:00 left", "eigenvalues: 40% done (8 of 20), 3:00 left",
                         "eigenvalues: 60% done (12 of 20), 2:00 left", "eigenvalues: 80% done (16 of 20), 1:00 left",
                         "eigenvalues: 100% done (20 of 20), 0:00 left"}));
}

TEST(ProgressLines, OfANewStageCountFromItsOwnBeginning) {
  const Pace::Time begun{};
  ProgressLines lines(begun);
  EXPECT_FALSE(lines.Next({"first", 1, 2}, begun + seconds(30)));
  EXPECT_FALSE(lines.Next({"second", 0, 1000}, begun + seconds(50)));
  EXPECT_EQ(lines.Next({"second", 10, 1000}, begun + seconds(60)), "second: 1% done (10 of 1000), 16:30 left");
}

TEST(ProgressLines, OfAStageThatJustBeganDoNotGuess) {
  const Pace::Time begun{};
  ProgressLines lines(begun);
  EXPECT_EQ(lines.Next({"traces", 0, 4}, begun + seconds(90)), "traces: 0% done (0 of 4)");
}

TEST(TimeText, HasHoursWhereThereAreAny) {
  EXPECT_EQ(TimeText(0.4), "0:00");
  EXPECT_EQ(TimeText(3599), "59:59");
  EXPECT_EQ(TimeText(3725), "1:02:05");
}

}  // namespace
}  // namespace bitplan::cli
