#pragma once

#include "bitplan/network.h"
#include "bitplan/plan.h"

namespace bitplan {

/// `plan` with its layers in the network's order. Throws Error when it is another model's plan, or asks for what a
/// layer cannot have.
Plan PlanFor(const Network& network, const Plan& plan);

/// Number of the Operand site of this name. Throws Error where the network has none.
int OperandSite(const Network& network, const std::string& name);

}  // namespace bitplan
