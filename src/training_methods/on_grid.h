#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

namespace bitplan::training_methods {

/// A grid of whole steps and the gradients of its numbers, which differ from method to method. v = x / scale.
struct GridRule {
  double low = 0, high = 0;   ///< the grid's ends, in steps from 0.0; whole numbers below 2^22
  double residue = 1;         ///< ∂x̂/∂scale is this · (round(v) − v) where low < v < high,
  double below = 0;           ///< this where v ≤ low,
  double above = 0;           ///< and this where v ≥ high
  double gradient_scale = 1;  ///< what the gradients of scale and offset are multiplied by
};

/// scale · clamp(round_half_even(x · (1 / scale)), low, high), as FakeQuantize rounds inputs: of the whole tensor, in
/// the memory layout of x. The gradient in x is 1 where low < v < high, 0 elsewhere; that in `scale` [1] is the rule's.
/// `offset` [1], if any, is what the grid's ends were shifted by: ∂x̂/∂offset is 1 where v ≤ low or v ≥ high, 0
/// elsewhere.
at::Tensor InputOnGrid(const at::Tensor& x, const at::Tensor& scale, const GridRule& rule,
                       const std::optional<at::Tensor>& offset = std::nullopt);

/// The same of a weight with a scale [1] of the whole tensor or [channels] along `channel_axis` (≥ 0), the quotient in
/// double precision as PutOnGrid finds codes.
at::Tensor WeightOnGrid(const at::Tensor& w, const at::Tensor& scale, int channel_axis, const GridRule& rule);

}  // namespace bitplan::training_methods
