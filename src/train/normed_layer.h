#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <optional>

#include "bitplan/train.h"
#include "network/layer_product.h"

namespace bitplan::train {

/// A layer and the batch norm that follows it, unfolded: what is trained of them.
struct NormedLayer {
  BatchNormFolding folding = BatchNormFolding::Frozen;
  at::Tensor weight;
  at::Tensor bias;            ///< [C]; undefined: none
  at::Tensor scale, offset;   ///< γ and β, [C]
  at::Tensor mean, variance;  ///< running statistics, [C]
  double epsilon = 0, momentum = 0;
  int channel_axis = 0;                          ///< of the weight
  int output_channel_dim = -1;                   ///< of the product, from the back
  std::optional<network::LayerProduct> product;  ///< of the second convolution, where there are two

  bool HasTwoProducts() const {
    return folding == BatchNormFolding::TwoConvolutions || folding == BatchNormFolding::Smoothed;
  }
};

/// Weight and bias as deployed: w γ/√(σ² + ε) and β + (b − μ) γ/√(σ² + ε), of the running statistics.
at::Tensor FoldedWeight(const NormedLayer& layer);
at::Tensor FoldedBias(const NormedLayer& layer);

/// Quantizes a folded weight.
using WeightFunction = std::function<at::Tensor(const at::Tensor& weight)>;

/// In training, of the layers whose folding looks at the batch: the weight of the layer's product as the graph computes
/// it, without its bias.
at::Tensor ProductWeight(const NormedLayer& layer, const WeightFunction& quantize);

/// What then becomes of that product: the layer's normalized output. `input`: what the layer read, where there are two
/// products. Updates the running statistics.
at::Tensor Normalize(NormedLayer& layer, const at::Tensor& product, const at::Tensor& input,
                     const WeightFunction& quantize);

}  // namespace bitplan::train
