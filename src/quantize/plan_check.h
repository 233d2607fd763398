#pragma once

#include "bitplan/network.h"
#include "bitplan/plan.h"

namespace bitplan {

/// `plan` with its layers in the network's order. Throws Error when it is another model's plan, or asks for what a
/// layer cannot have.
Plan PlanFor(const Network& network, const Plan& plan);

}  // namespace bitplan
