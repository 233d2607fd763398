#pragma once

#include "bitplan/train.h"
#include "options.h"

namespace bitplan::cli {

void AddTrainOptions(CommandLine& line);  ///< seed and batch size aside, which other groups have

/// Throws Error where they make no sense.
TrainOptions ReadTrainOptions(const CommandLine& line);

}  // namespace bitplan::cli
