#pragma once

#include "bitplan/cost.h"
#include "bitplan/search.h"
#include "command_line.h"

namespace bitplan::cli {

/// `searches`: the methods that the command offers.
void AddSearchOptions(CommandLine& line, const SearchRegistry& searches);
SearchOptions ReadSearchOptions(const CommandLine& line);
ProblemOptions ReadProblemOptions(const CommandLine& line);

}  // namespace bitplan::cli
