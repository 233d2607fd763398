#pragma once

#include <vector>

#include "bitplan/cost.h"

namespace bitplan::cost {

/// For each layer the widths that the pins leave to choose from.
struct OfferedWidths {
  std::vector<Perturbation> weights, activations;
};

/// Applies the pins, the later over the earlier. Throws Error: a pin that matches no layer or that later ones leave
/// without any effect, a width that was not analyzed.
std::vector<OfferedWidths> ApplyPins(const Sensitivity& sensitivity, const std::vector<Pin>& pins);

}  // namespace bitplan::cost
