#include "normed_layer.h"

#include <ATen/ATen.h>

#include <vector>

#include "network/batch_norm.h"
#include "tuning.h"

namespace bitplan::train {

namespace {

/// γ/√(variance + ε).
at::Tensor FoldScale(const NormedLayer& layer, const at::Tensor& variance) {
  return layer.scale / (variance + layer.epsilon).sqrt();
}

at::Tensor Scaled(const NormedLayer& layer, const at::Tensor& scale) {
  return layer.weight * network::WeightScale(layer.weight, scale, layer.channel_axis);
}

/// β + (b − mean) · scale.
at::Tensor ShiftedOffset(const NormedLayer& layer, const at::Tensor& mean, const at::Tensor& scale) {
  return layer.offset + (layer.bias.defined() ? layer.bias - mean : -mean) * scale;
}

/// One number a channel, in a shape that broadcasts over the layer's output.
at::Tensor AlongOutput(const NormedLayer& layer, const at::Tensor& numbers) {
  std::vector<std::int64_t> shape(static_cast<std::size_t>(-layer.output_channel_dim), 1);
  shape[0] = numbers.numel();
  return numbers.view(shape);
}

struct Statistics {
  at::Tensor mean, variance;  ///< [C]; the variance with divisor n
};

at::Tensor WithBias(const NormedLayer& layer, const at::Tensor& product) {
  return layer.bias.defined() ? product + AlongOutput(layer, layer.bias) : product;
}

Statistics OfBatch(const NormedLayer& layer, const at::Tensor& output) {
  std::vector<std::int64_t> others;
  for (std::int64_t axis = 0; axis < output.dim(); ++axis)
    if (axis != output.dim() + layer.output_channel_dim) others.push_back(axis);
  const auto [variance, mean] = at::var_mean(output, others, /*correction=*/at::Scalar(0));
  return {mean, variance};
}

/// As aten::batch_norm does: the running variance is of divisor n − 1.
void UpdateRunning(NormedLayer& layer, const Statistics& batch, std::int64_t elements) {
  const at::NoGradGuard no_grad;
  const auto count = static_cast<double>(elements / layer.mean.numel());
  layer.mean.mul_(1 - layer.momentum).add_(batch.mean, layer.momentum);
  layer.variance.mul_(1 - layer.momentum).add_(batch.variance, layer.momentum * (count > 1 ? count / (count - 1) : 1));
}

at::Tensor WithSecondProduct(NormedLayer& layer, const at::Tensor& product, const at::Tensor& input,
                             const WeightFunction& quantize) {
  const Statistics batch = OfBatch(layer, WithBias(layer, product));
  const at::Tensor of_batch = FoldScale(layer, batch.variance);
  const at::Tensor shift = AlongOutput(layer, ShiftedOffset(layer, batch.mean, of_batch));
  if (layer.folding == BatchNormFolding::TwoConvolutions) {
    UpdateRunning(layer, batch, product.numel());
    return (*layer.product)(input, quantize(Scaled(layer, of_batch))) + shift;
  }
  const at::Tensor ratio = ((layer.variance + layer.epsilon) / (batch.variance + layer.epsilon)).sqrt();
  const at::Tensor weight = quantize(FoldedWeight(layer));
  UpdateRunning(layer, batch, product.numel());
  return (*layer.product)(input, weight) * AlongOutput(layer, ratio) + shift;
}

at::Tensor RescaledNorm(NormedLayer& layer, const at::Tensor& product) {
  const at::Tensor folded = FoldScale(layer, layer.variance);
  // Weight decay leaves channels whose γ is next to nothing. They are not divided, whose gradients would be without
  // bounds, and keep their statistics.
  const at::Tensor size = folded.detach().abs();
  const at::Tensor off = size.le(tuning::kShareOfChannelOff * size.max());
  const at::Tensor mean = layer.mean.clone(), variance = layer.variance.clone();
  const at::Tensor divisor = at::where(off, at::ones_like(folded), folded);
  const at::Tensor unfolded = WithBias(layer, product / AlongOutput(layer, divisor));
  at::Tensor normed = at::batch_norm(unfolded, layer.scale, layer.offset, mean, variance, /*training=*/true,
                                     layer.momentum, layer.epsilon, /*cudnn_enabled=*/true);
  const at::NoGradGuard no_grad;
  layer.mean.copy_(at::where(off, layer.mean, mean));
  layer.variance.copy_(at::where(off, layer.variance, variance));
  return normed;
}

}  // namespace

at::Tensor FoldedWeight(const NormedLayer& layer) { return Scaled(layer, FoldScale(layer, layer.variance)); }

at::Tensor FoldedBias(const NormedLayer& layer) {
  return ShiftedOffset(layer, layer.mean, FoldScale(layer, layer.variance));
}

at::Tensor ProductWeight(const NormedLayer& layer, const WeightFunction& quantize) {
  return layer.HasTwoProducts() ? layer.weight : quantize(FoldedWeight(layer));
}

at::Tensor Normalize(NormedLayer& layer, const at::Tensor& product, const at::Tensor& input,
                     const WeightFunction& quantize) {
  return layer.HasTwoProducts() ? WithSecondProduct(layer, product, input, quantize) : RescaledNorm(layer, product);
}

}  // namespace bitplan::train
