#pragma once

#include <vector>

#include "bitplan/data.h"
#include "bitplan/network.h"
#include "bitplan/plan.h"

namespace bitplan::cli {

/// Says of which layers figures that are asked for leave the output correction out, as the samples are too few to fit
/// it. `corrected`: whether the plan has one.
void TellOfFewValues(const Network& network, const Dataset& data, const std::vector<Measure>& measures, bool corrected);

}  // namespace bitplan::cli
