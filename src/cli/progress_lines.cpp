#include "progress_lines.h"

#include <fmt/format.h>

#include <algorithm>

#include "tuning.h"

namespace bitplan::cli {

std::optional<std::string> ProgressLines::Next(const Progress& progress, Pace::Time now) {
  pace_.Note(progress, now);
  if (now - last_ < tuning::kEachLine) return std::nullopt;
  last_ = now;
  const double total = static_cast<double>(std::max<std::int64_t>(progress.total, 1));
  std::string line = fmt::format("{}: {:.0f}% done ({} of {})", progress.stage,
                                 100 * static_cast<double>(progress.done) / total, progress.done, progress.total);
  if (const auto left = pace_.SecondsLeft()) line += fmt::format(", {} left", TimeText(*left));
  return line;
}

}  // namespace bitplan::cli
