#include "normed_layer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bitplan::train {
namespace {

constexpr int kChannels = 6, kOff = 2;

/// A linear layer and its norm; γ of one channel is what weight decay leaves of it.
NormedLayer LayerWithAChannelOff(BatchNormFolding folding) {
  const auto generator = at::make_generator<at::CPUGeneratorImpl>(3);
  const auto numbers = [&](at::IntArrayRef shape) { return torch::randn(shape, generator); };
  NormedLayer layer;
  layer.folding = folding;
  layer.weight = (0.3 * numbers({kChannels, 8})).set_requires_grad(true);
  layer.bias = (0.1 * numbers({kChannels})).set_requires_grad(true);
  layer.scale = 1 + 0.1 * numbers({kChannels});
  layer.scale[kOff] = 1e-9;
  layer.scale.set_requires_grad(true);
  layer.offset = numbers({kChannels}).set_requires_grad(true);
  layer.mean = 0.1 * numbers({kChannels});
  layer.variance = torch::ones({kChannels});
  layer.epsilon = 1e-5;
  layer.momentum = 0.1;
  return layer;
}

/// Levels that do not go down to zero, as those of binary weights that have just been drawn.
at::Tensor AtLeast(const at::Tensor& weight) {
  return weight + (at::where(weight.detach().ge(0), 0.2, -0.2) - weight).detach();
}

TEST(RescaledNorm, LeavesChannelsThatAreSwitchedOffOutOfItsStatistics) {
  NormedLayer layer = LayerWithAChannelOff(BatchNormFolding::Rescaled);
  const at::Tensor mean = layer.mean.clone(), variance = layer.variance.clone();
  const at::Tensor x = torch::randn({64, 8}, at::make_generator<at::CPUGeneratorImpl>(4));
  const at::Tensor product = torch::linear(x, ProductWeight(layer, AtLeast));
  const at::Tensor y = Normalize(layer, product, x, AtLeast);
  EXPECT_TRUE(y.isfinite().all().item<bool>());
  for (int channel = 0; channel < kChannels; ++channel) {
    SCOPED_TRACE(channel);
    EXPECT_EQ(layer.mean[channel].equal(mean[channel]), channel == kOff);
    EXPECT_EQ(layer.variance[channel].equal(variance[channel]), channel == kOff);
  }
  y.square().sum().backward();
  for (const at::Tensor& learned : {layer.weight, layer.bias, layer.scale, layer.offset}) {
    ASSERT_TRUE(learned.grad().defined());
    EXPECT_LT(learned.grad().abs().max().item<float>(), 1e4F);
  }
}

/// Of the channels that are on it is batch norm of the product divided by γ/σ.
TEST(RescaledNorm, IsBatchNormOfTheProductInItsOwnUnits) {
  NormedLayer layer = LayerWithAChannelOff(BatchNormFolding::Rescaled);
  const at::NoGradGuard no_grad;
  const at::Tensor x = torch::randn({64, 8}, at::make_generator<at::CPUGeneratorImpl>(4));
  const at::Tensor fold = layer.scale / (layer.variance + layer.epsilon).sqrt();
  const at::Tensor unfolded =
      torch::linear(x, AtLeast(layer.weight * fold.unsqueeze(1))).to(at::kDouble) / fold + layer.bias;
  const at::Tensor wanted =
      (unfolded - unfolded.mean(0)) / (unfolded.var(0, false) + layer.epsilon).sqrt() * layer.scale + layer.offset;
  const at::Tensor mean = 0.9 * layer.mean + 0.1 * unfolded.mean(0);
  const at::Tensor y = Normalize(layer, torch::linear(x, ProductWeight(layer, AtLeast)), x, AtLeast);
  const at::Tensor on = torch::arange(kChannels).ne(kOff);
  EXPECT_TRUE(torch::allclose(y.to(at::kDouble).index({at::indexing::Slice(), on}),
                              wanted.index({at::indexing::Slice(), on}), 1e-4, 1e-5));
  EXPECT_TRUE(torch::allclose(layer.mean.to(at::kDouble).index({on}), mean.index({on}), 1e-4, 1e-5));
}

}  // namespace
}  // namespace bitplan::train
