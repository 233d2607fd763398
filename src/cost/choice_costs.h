#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "bitplan/cost.h"

namespace bitplan::cost {

/// LayerCosts and what the tables say. What a table has fixed counts with the first layer. Throws Error when a table
/// lacks the widths.
std::map<std::string, double> ChoiceCosts(const Sensitivity& sensitivity, std::size_t layer, int weight_bits,
                                          int activation_bits, std::int64_t all_weights);

}  // namespace bitplan::cost
