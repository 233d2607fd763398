#pragma once

#include <vector>

#include "bitplan/loss.h"

namespace bitplan::loss {

/// Of a network's outputs side by side (Network::Outputs), at temperature 1; see ResolveLoss. Throws Error as it does.
Criterion OfSeveral(const Network& network, const Dataset& data, const std::vector<NamedOutput>& outputs, Loss loss);

/// The same outputs, judged by a module.
Criterion By(const SampleFunction& module, Criterion outputs);

}  // namespace bitplan::loss
