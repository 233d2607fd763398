#pragma once

#include "bitplan/network.h"
#include "bitplan/plan.h"
#include "bitplan/plan_match.h"

namespace bitplan::cli {

/// AdaptPlan; layers that are known by their weights' values, not by name, are told on stderr.
AdaptedPlan AdaptAndTell(const Network& network, const Plan& plan);

}  // namespace bitplan::cli
