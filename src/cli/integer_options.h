#pragma once

#include "bitplan/evaluate.h"
#include "bitplan/integer.h"
#include "command_line.h"

namespace bitplan::cli {

void AddIntegerOptions(CommandLine& line);  ///< --integer and what goes with it
bool WantsInteger(const CommandLine& line);
IntegerOptions ReadIntegerOptions(const CommandLine& line);

/// The accumulators that overflowed, by layer, and the operators that stayed in float.
void PrintIntegerEvaluation(const IntegerEvaluation& integer);

}  // namespace bitplan::cli
