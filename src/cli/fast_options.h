#pragma once

#include "bitplan/evaluate.h"
#include "bitplan/fast.h"
#include "command_line.h"

namespace bitplan::cli {

void AddFastOptions(CommandLine& line);  ///< --fast and what goes with it
bool WantsFast(const CommandLine& line);
FastOptions ReadFastOptions(const CommandLine& line);

/// How much faster than float, and the layers that stayed in float.
void PrintFastEvaluation(const FastComparison& fast);

}  // namespace bitplan::cli
