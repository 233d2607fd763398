#pragma once

#include <optional>

#include "bitplan/cost.h"
#include "bitplan/problem.h"
#include "bitplan/search.h"
#include "bitplan/sensitivity.h"
#include "options.h"

namespace bitplan::cli {

/// What a command searches.
struct Searched {
  Problem problem;
  std::optional<Sensitivity> sensitivity;  ///< what it was made from; none when it came as a problem file
  ProblemOptions options;                  ///< how
};

void AddSearchedOptions(CommandLine& line, const SearchRegistry& searches);  ///< the file, and the options of a search

/// From --problem, or else from the sensitivity file; --budget, --price and --keep change it. Throws Error.
Searched ReadSearched(const CommandLine& line);

}  // namespace bitplan::cli
