#pragma once

#include "bitplan/network.h"
#include "bitplan/plan.h"

namespace bitplan::quantize {

/// `plan` as AdaptPlan (bitplan/plan_match.h) makes it fit the network. Throws Error as that does, and where it asks
/// for what a layer cannot have.
Plan PlanFor(const Network& network, const Plan& plan);

/// Whether two formats are the same to what is put on them: of formats without scales only the type says anything.
bool SameFormat(const Format& a, const Format& b);

/// Whether the weights or the input of some layer are put on a grid with a scale.
bool QuantizesAnything(const Plan& plan);

/// Number of the Operand site of this name. Throws Error where the network has none.
int OperandSite(const Network& network, const std::string& name);

}  // namespace bitplan::quantize
