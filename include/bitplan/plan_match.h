#pragma once

#include <map>
#include <string>

#include "bitplan/network.h"
#include "bitplan/plan.h"

namespace bitplan {

/// A plan as it is for another file of the network that it was made for.
struct AdaptedPlan {
  Plan plan;  ///< layers as the network's, in its order and by its names; digests are the network's
  /// Layers that are not known by their names, but by the values of their weights: the network's name to the plan's.
  std::map<std::string, std::string> by_value;
};

/// Finds the plan's layers in `network`: where the weights are those that it was made for (Network::weights_sha256) by
/// their names, else each by its name, where the weight's fingerprint is the same up to the scales of its channels, and
/// otherwise by its fingerprint alone, of the values or up to those scales; of several that are alike in the order of
/// execution. A weight that is one in one file and stands twice in the other is given one format. Throws Error, naming
/// layers, when some layer is found in neither way, when the plan is of an earlier version without fingerprints and of
/// other weights, and when batch norm is folded in one and not in the other.
AdaptedPlan AdaptPlan(const Network& network, const Plan& plan);

}  // namespace bitplan
