#pragma once

#include <vector>

#include "bitplan/data.h"
#include "bitplan/network.h"
#include "bitplan/sensitivity.h"
#include "groundwork.h"

namespace bitplan::hessian {

/// The layers with their shapes and work, and their choices with every figure still 0.
std::vector<LayerSensitivity> LayerFacts(const Network& network, const Dataset& data, const ChoiceSpace& choices);

/// A width with what it does to a tensor; `squared_norm`: of the tensor.
Perturbation MakePerturbation(int bits, double squared_error, double squared_norm);

}  // namespace bitplan::hessian
