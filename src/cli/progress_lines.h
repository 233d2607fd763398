#pragma once

#include <optional>
#include <string>

#include "pace.h"

namespace bitplan::cli {

/// Progress for logs: a line each minute.
class ProgressLines {
 public:
  explicit ProgressLines(Pace::Time begun) : last_(begun) {}

  /// What to write at `now`: once a minute the stage, the share of it that is done and the time that it still takes.
  std::optional<std::string> Next(const Progress& progress, Pace::Time now);

 private:
  Pace pace_;
  Pace::Time last_;
};

}  // namespace bitplan::cli
