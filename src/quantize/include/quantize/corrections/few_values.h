#pragma once

#include <string>
#include <vector>

#include "bitplan/data.h"
#include "bitplan/network.h"

namespace bitplan::quantize {

/// Of a channel, for its mean and deviation to tell an error from chance: from fewer a correction takes on what these
/// samples have of their own, and where a layer gives one vector a sample, one or two samples are restored exactly.
/// What such a correction leaves of an error on the samples it was fitted on says nothing about others.
inline constexpr double kFewestValues = 32;

/// Names of the layers whose outputs can be corrected, but whose channels have fewer values in all of the samples.
std::vector<std::string> LayersOfFewValues(const Network& network, const Dataset& data);

}  // namespace bitplan::quantize
