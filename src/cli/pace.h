#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "bitplan/progress.h"

namespace bitplan::cli {

/// How fast a stage goes, by its steps since it began.
class Pace {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// Returns whether this is the first of a stage.
  bool Note(const Progress& progress, Time now);

  std::optional<double> StepsPerSecond() const;  ///< nothing before half a second, or a step
  std::optional<double> SecondsLeft() const;     ///< likewise

 private:
  std::string stage_;
  std::int64_t done_before_ = 0, done_ = 0, total_ = 0;
  Time begun_, now_;
};

/// 3:20, or 1:02:03.
std::string TimeText(double seconds);

}  // namespace bitplan::cli
