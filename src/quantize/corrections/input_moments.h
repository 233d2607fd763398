#pragma once

#include <ATen/core/Tensor.h>

#include "network/layer_product.h"

namespace bitplan {

/// Whether InputMoments knows what the weights of `product` multiply: linear layers and convolutions.
bool HasInputMoments(const LayerProduct& product);

/// Second moments, float64 [groups, d, d], of the d values that the d weights of an output channel multiply: their mean
/// over samples and positions. d counts in row-major order of the weight's axes but the first.
at::Tensor InputMoments(const LayerProduct& product, const at::Tensor& x, at::IntArrayRef weight_shape);

}  // namespace bitplan
