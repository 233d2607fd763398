#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "bitplan/sensitivity.h"
#include "number_option.h"

namespace bitplan::cli {

// What users write for options as values; Error names the option.

/// 2,3,4 as numbers, each of them allowed; all where nothing is said.
std::vector<int> ParseIntegers(const std::string& option, const std::string& text, const Allowed& allowed = {});
std::vector<double> ParseNumbers(const std::string& option, const std::string& text, const Allowed& allowed = {});

/// Bytes with or without a unit: 1500000, 512MiB.
std::int64_t ParseBytes(const std::string& option, const std::string& text);

/// COST=NUMBER of each text, the later over the earlier.
std::map<std::string, double> ParsePerCost(const std::string& option, const std::vector<std::string>& texts);

/// Which percentages an option takes, and why no others.
struct Percentages {
  bool none = false, all = false;  ///< whether 0% and 100% are among them
  std::string why = {};
};

/// 5% as 0.05.
double ParsePercent(const std::string& option, const std::string& text, const Percentages& allowed = {});

/// Names with commas between.
std::string Joined(const std::vector<Measure>& measures);

/// "all", or names with commas between them.
std::vector<Measure> ParseMeasures(const std::string& text);

}  // namespace bitplan::cli
