#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <vector>

#include "bitplan/network.h"
#include "gauss_newton/layer_rows.h"
#include "quantize/single_choices.h"

namespace bitplan::hessian {

/// What some choices of one layer's weight change of its output, all else as in
/// the float network: computed together.
class WeightChanges {
 public:
  /// `which`: positions in `choices`, all of the same layer's weight; at least
  /// one.
  WeightChanges(const Network& network, const quantize::SingleChoices& choices, const std::vector<std::size_t>& which);

  /// At one run of the layer, [n, choices, elements of a sample's output].
  at::Tensor At(const UseRun& run) const;

 private:
  LayerUse first_use_;
  at::Tensor weights_;   // [choices, weight…]
  at::Tensor channels_;  // [choices, channels], what is added to a channel's
                         // elements; undefined for nothing
};

/// What a choice of inputs, with the correction that goes with it, changes at
/// one run of one of its layers, [n, 1, elements].
at::Tensor InputChange(const Network& network, const QuantizedState& state, int layer, const UseRun& run);

}  // namespace bitplan::hessian
