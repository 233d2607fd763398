#pragma once

#include <vector>

#include "bitplan/network.h"

namespace bitplan {

/// What a layer's weight is known by in another file of the same network, where it may have another name, lie
/// transposed, or differ in its last digits, as exporters that fold batch norm leave it: its output channels C, its
/// values a channel, its norm, and sums of its values with fixed random signs: of all, and in absolute terms of each
/// channel's direction alone, which folding keeps.
std::vector<double> Fingerprint(const Network& network, const Layer& layer);

}  // namespace bitplan
