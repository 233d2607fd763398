#pragma once

#include "bitplan/network.h"
#include "bitplan/plan.h"

namespace bitplan::quantize {

/// `plan` with its layers in the network's order. Throws Error when it is another model's plan, or asks for what a
/// layer cannot have.
Plan PlanFor(const Network& network, const Plan& plan);

/// Whether the weights or the input of some layer are put on a grid with a scale.
bool QuantizesAnything(const Plan& plan);

/// Number of the Operand site of this name. Throws Error where the network has none.
int OperandSite(const Network& network, const std::string& name);

}  // namespace bitplan::quantize
