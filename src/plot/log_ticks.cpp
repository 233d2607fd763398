#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tick_label.h"
#include "ticks.h"

namespace bitplan::plot {

namespace {

/// digit · 10^decade, digit 1 … 9.
struct LogTick {
  int digit = 1, decade = 0;

  double Position() const { return decade + std::log10(digit); }
  std::string Plain() const { return PlainNumber(digit, decade); }
  std::string Power() const { return (digit == 1 ? "" : fmt::format("{}×", digit)) + PowerOfTen(decade); }
};

using LogTickList = std::vector<LogTick>;

LogTickList DigitsOfDecades(double low, double high) {
  LogTickList ticks;
  for (int decade = static_cast<int>(std::floor(low)); decade <= high; ++decade)
    for (int digit = 1; digit <= 9; ++digit)
      if (const LogTick tick{digit, decade}; tick.Position() >= low && tick.Position() <= high) ticks.push_back(tick);
  return ticks;
}

template <typename Condition>
LogTickList Select(const LogTickList& ticks, const Condition& condition) {
  LogTickList selected;
  std::copy_if(ticks.begin(), ticks.end(), std::back_inserter(selected), condition);
  return selected;
}

bool IsDecade(const LogTick& tick) { return tick.digit == 1; }
bool IsOneTwoFive(const LogTick& tick) { return tick.digit == 1 || tick.digit == 2 || tick.digit == 5; }

/// Every n-th decade, n of 1, 2, 5, 10 … 200 such that no more than `most` are left, or nearly so.
LogTickList ThinnedDecades(const LogTickList& decades, int most) {
  LogTickList thinned = decades;
  for (const int every : {2, 5, 10, 20, 50, 100, 200}) {
    if (thinned.size() <= static_cast<std::size_t>(most)) break;
    thinned = Select(decades, [&](const LogTick& tick) { return tick.decade % every == 0; });
  }
  return thinned;
}

std::vector<Tick> Labelled(const LogTickList& ticks) {
  const bool plain = std::all_of(ticks.begin(), ticks.end(),
                                 [](const LogTick& tick) { return tick.decade >= -3 && tick.decade <= 3; });
  std::vector<Tick> labelled;
  for (const LogTick& tick : ticks) labelled.push_back({tick.Position(), plain ? tick.Plain() : tick.Power()});
  return labelled;
}

Ticks LinearStepsOnLog(double low, double high, int most) {
  Ticks ticks = LinearTicks(std::pow(10, low), std::pow(10, high), most);
  for (Tick& tick : ticks.ticks) tick.position = std::log10(tick.position);
  return ticks;
}

}  // namespace

Ticks LogTicks(double low, double high, int most) {
  const LogTickList all = DigitsOfDecades(low, high);
  const LogTickList one_two_five = Select(all, IsOneTwoFive), decades = Select(all, IsDecade);
  if (one_two_five.size() < 3) return LinearStepsOnLog(low, high, most);
  const bool few = one_two_five.size() <= static_cast<std::size_t>(most) || decades.size() < 2;
  const LogTickList labelled = few ? one_two_five : ThinnedDecades(decades, most);
  Ticks ticks{Labelled(labelled), ""};
  const LogTickList& minor = labelled.size() < decades.size() ? decades : all;
  if (minor.size() <= 100)
    for (const LogTick& tick : minor) ticks.ticks.push_back({tick.Position(), ""});
  return ticks;
}

}  // namespace bitplan::plot
