#pragma once

#include <string>

#include "bitplan/progress.h"

namespace bitplan::cli {

/// Thrown out of long work after SIGINT or SIGTERM.
struct Interrupted {
  std::string left = "nothing was written";  ///< what the user finds
};

/// From here on the first SIGINT or SIGTERM is noted instead of ending the process; a second one ends it.
void CatchInterrupts();

/// Throws Interrupted once a signal has been noted.
void ThrowIfInterrupted();

/// Whether a signal has been noted.
bool WasInterrupted();

/// Draws a progress bar on stderr when that is a terminal, else writes a line there each minute; ends the work when the
/// process was interrupted.
ProgressCallback ShowProgress();

/// The bar or the lines alone, for work that asks WasInterrupted and keeps what it has.
ProgressCallback ShowBar();

}  // namespace bitplan::cli
