#pragma once

#include <string>

#include "bitplan/quantize.h"

namespace bitplan::cli {

/// What the corrections' rounding left at the nearest code, and what it did in blocks, as lines below a table; nothing
/// where all was done as asked.
void PrintRoundings(const QuantizedNetwork& quantized);

/// The same under the key `rounding` of a result: `asked`, `nearest` (layer and reason), `blocks` (by layer).
std::string WithRoundings(const std::string& json, const QuantizedNetwork& quantized);

}  // namespace bitplan::cli
