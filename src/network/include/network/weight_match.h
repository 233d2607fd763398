#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "bitplan/network.h"

namespace bitplan::network {

/// A weight as another file has it.
struct KnownWeight {
  std::string name;                 ///< of its layer
  std::vector<double> fingerprint;  ///< as WeightFingerprint
};

/// See Fingerprint (bitplan/fingerprint.h). `channel_axis`: of the output channels.
std::vector<double> WeightFingerprint(const at::Tensor& weight, int channel_axis);

/// Whether two fingerprints are of the same values, up to what arithmetic in float32 makes of them.
bool AreOfSameValues(const std::vector<double>& a, const std::vector<double>& b);

/// Whether they are of the same values but for a factor for each output channel. Channels of a single value have no
/// direction.
bool AreOfSameDirections(const std::vector<double>& a, const std::vector<double>& b);

/// By layer of `network` the index of the weight in `known` that is its own, as AdaptPlan (bitplan/plan_match.h) finds
/// it; nothing where there is none.
std::vector<std::optional<std::size_t>> MatchWeights(const Network& network, const std::vector<KnownWeight>& known);

}  // namespace bitplan::network
