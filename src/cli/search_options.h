#pragma once

#include "bitplan/cost.h"
#include "bitplan/search.h"
#include "command_line.h"

namespace bitplan::cli {

void AddSearchOptions(CommandLine& line);
SearchOptions ReadSearchOptions(const CommandLine& line);
ProblemOptions ReadProblemOptions(const CommandLine& line);

}  // namespace bitplan::cli
