#pragma once

#include <array>

#include "bitplan/format.h"
#include "command_line.h"

namespace bitplan::cli {

struct Formats {
  Format weight, activation;
};
/// Of those options, the ones that say which numbers there are, and the ones that say how ranges are found.
inline constexpr std::array kNumberOptions = {
    "weight-type",  "weight-scheme", "weight-granularity", "weight-group",      "weight-scales",
    "narrow-range", "reduce-range",  "activation-type",    "activation-scheme", "activation-scales"};
inline constexpr std::array kRangeOptions = {"weight-calibrator", "activation-calibrator", "percentile", "deviations"};
void AddFormatOptions(CommandLine& line);  ///< all but widths; part of those of the analysis
Formats ReadFormats(const CommandLine& line);

}  // namespace bitplan::cli
