#include "progress_lines.h"

#include <fmt/format.h>

#include <algorithm>

namespace bitplan::cli {

std::optional<std::string> ProgressLines::Next(const Progress& progress, Pace::Time now) {
  constexpr auto kEach = std::chrono::minutes(1);
  pace_.Note(progress, now);
  if (now - last_ < kEach) return std::nullopt;
  last_ = now;
  const double total = static_cast<double>(std::max<std::int64_t>(progress.total, 1));
  std::string line = fmt::format("{}: {:.0f}% done ({} of {})", progress.stage,
                                 100 * static_cast<double>(progress.done) / total, progress.done, progress.total);
  if (const auto left = pace_.SecondsLeft()) line += fmt::format(", {} left", TimeText(*left));
  return line;
}

}  // namespace bitplan::cli
