#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "bitplan/sensitivity.h"

namespace bitplan::cli {

// What users write for options as values; Error names the option.

/// What stands between commas; of an empty text one that is empty.
std::vector<std::string> SplitAtCommas(const std::string& text);

/// 2,3,4 as numbers. Which are allowed is checked when the command line is read (checked_text.h).
std::vector<int> ParseIntegers(const std::string& option, const std::string& text);
std::vector<double> ParseNumbers(const std::string& option, const std::string& text);

/// Bytes with or without a unit: 1500000, 512MiB.
std::int64_t ParseBytes(const std::string& option, const std::string& text);

/// COST=NUMBER of each text, the later over the earlier.
std::map<std::string, double> ParsePerCost(const std::string& option, const std::vector<std::string>& texts);

/// 5% as 5; 50%,100% as 50, 100.
double ParsePercent(const std::string& option, const std::string& text);
std::vector<double> ParsePercents(const std::string& option, const std::string& text);

/// Names with commas between.
std::string Joined(const std::vector<Measure>& measures);

/// all, or names with commas between them.
std::vector<Measure> ParseMeasures(const std::string& text);

}  // namespace bitplan::cli
