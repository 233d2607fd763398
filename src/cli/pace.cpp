#include "pace.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace bitplan::cli {

bool Pace::Note(const Progress& progress, Time now) {
  const bool begins = progress.stage != stage_ || progress.done < done_;
  if (begins) {
    stage_ = progress.stage;
    begun_ = now;
    done_before_ = progress.done;
  }
  now_ = now;
  done_ = progress.done;
  total_ = progress.total;
  return begins;
}

std::optional<double> Pace::StepsPerSecond() const {
  constexpr double kShortest = 0.5;
  const double seconds = std::chrono::duration<double>(now_ - begun_).count();
  if (seconds < kShortest || done_ <= done_before_) return std::nullopt;
  return static_cast<double>(done_ - done_before_) / seconds;
}

std::optional<double> Pace::SecondsLeft() const {
  const auto rate = StepsPerSecond();
  if (!rate) return std::nullopt;
  return static_cast<double>(std::max<std::int64_t>(total_ - done_, 0)) / *rate;
}

std::string TimeText(double seconds) {
  const auto whole = std::lround(seconds);
  return whole < 3600 ? fmt::format("{}:{:02}", whole / 60, whole % 60)
                      : fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

}  // namespace bitplan::cli
