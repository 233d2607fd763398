// What holds of every method, on every format that suits it.

#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "bitplan/error.h"
#include "bitplan/names.h"
#include "bitplan/quantize.h"
#include "quantize/learned_grid.h"
#include "training_methods/formats.h"
#include "training_methods/trained_quantizer.h"

namespace bitplan::training_methods {
namespace {

struct Pair {
  TrainingMethod method;
  Format format;

  friend void PrintTo(const Pair& pair, std::ostream* out) {
    *out << ToString(pair.method) << " on " << ToString(pair.format.type) << ' ' << pair.format.bits << ' '
         << ToString(pair.format.scheme) << ' ' << ToString(pair.format.granularity);
  }
};

TEST(TrainingMethods, AreAllThatHaveNames) {
  EXPECT_EQ(TrainingMethods().size(), AllNames<TrainingMethod>().size());
  for (const TrainingMethod method : TrainingMethods()) EXPECT_EQ(ParseTrainingMethod(ToString(method)), method);
}

std::vector<Format> WeightFormats() {
  std::vector<Format> formats = {WeightFormat(16, Granularity::Tensor, NumberType::Float16)};
  for (const Granularity granularity : {Granularity::Tensor, Granularity::Channel}) {
    for (const int bits : {2, 3, 8}) {
      formats.push_back(WeightFormat(bits, granularity));
      formats.push_back(formats.back());
      formats.back().scheme = Scheme::Asymmetric;
    }
    formats.push_back(WeightFormat(3, granularity));
    formats.back().narrow_range = true;
    formats.push_back(WeightFormat(1, granularity, NumberType::Binary));
    formats.push_back(WeightFormat(2, granularity, NumberType::Ternary));
    formats.push_back(WeightFormat(4, granularity, NumberType::Nf4));
  }
  return formats;
}

std::vector<Format> InputFormats() {
  std::vector<Format> formats = {InputFormat(16), InputFormat(4), InputFormat(1, Scheme::Symmetric)};
  formats[0].type = NumberType::Float16;
  formats[1].type = NumberType::E2M1;
  for (const int bits : {1, 2, 3, 8})
    for (const Scheme scheme : {Scheme::Symmetric, Scheme::Asymmetric, Scheme::Unsigned})
      formats.push_back(InputFormat(bits, scheme));
  return formats;
}

std::vector<Pair> Suited(const std::vector<Format>& formats, bool (*suits)(TrainingMethod, const Format&)) {
  std::vector<Pair> pairs;
  for (const TrainingMethod method : TrainingMethods())
    for (const Format& format : formats)
      if (suits(method, format)) pairs.push_back({method, format});
  return pairs;
}

std::string NameOf(const testing::TestParamInfo<Pair>& info) {
  std::string name(ToString(info.param.method));
  std::replace(name.begin(), name.end(), '-', '_');
  return name + "_" + std::to_string(info.index);
}

/// As the optimizer would, a little away from where training began.
void Move(TrainedQuantizer& quantizer) {
  const at::NoGradGuard no_grad;
  at::manual_seed(8);
  for (const QuantizerTensor& tensor : quantizer.tensors())
    if (tensor.learned) tensor.value.mul_(1 + 0.2 * torch::rand_like(tensor.value));
  quantizer.AfterStep();
}

at::Tensor Weight(std::vector<std::int64_t> shape = {5, 4, 3, 3}) {
  at::manual_seed(3);
  return 0.2 * torch::randn(shape) + 0.02;
}

std::unique_ptr<WeightQuantizer> Started(const Pair& pair, const at::Tensor& w, int axis = 0) {
  auto quantizer = MakeWeightQuantizer(pair.method, pair.format, axis, at::make_generator<at::CPUGeneratorImpl>(4));
  quantizer->Initialize(w);
  quantizer->Finish();
  return quantizer;
}

std::unique_ptr<InputQuantizer> StartedInput(const Pair& pair, const std::vector<at::Tensor>& batches) {
  auto quantizer = MakeInputQuantizer(pair.method, pair.format);
  for (const at::Tensor& batch : batches) quantizer->Initialize(batch);
  quantizer->Finish();
  return quantizer;
}

TEST(TrainingMethods, EachSuitsSomeFormatOfTheContract) {
  const std::vector<Pair> weights = Suited(WeightFormats(), SuitsWeights), inputs = Suited(InputFormats(), SuitsInputs);
  for (const TrainingMethod method : TrainingMethods()) {
    const auto is_of_method = [&](const Pair& pair) { return pair.method == method && pair.format.HasScale(); };
    EXPECT_TRUE(std::any_of(weights.begin(), weights.end(), is_of_method) ||
                std::any_of(inputs.begin(), inputs.end(), is_of_method))
        << ToString(method);
  }
}

class WeightMethods : public testing::TestWithParam<Pair> {};
INSTANTIATE_TEST_SUITE_P(Suited, WeightMethods, testing::ValuesIn(Suited(WeightFormats(), SuitsWeights)), NameOf);

class InputMethods : public testing::TestWithParam<Pair> {};
INSTANTIATE_TEST_SUITE_P(Suited, InputMethods, testing::ValuesIn(Suited(InputFormats(), SuitsInputs)), NameOf);

TEST_P(WeightMethods, GiveToTheLastBitTheLatentWeightOnTheLearnedGrid) {
  for (const int axis : {0, 1}) {
    at::Tensor w = Weight();
    const auto quantizer = Started(GetParam(), w, axis);
    for (int step = 0; step < 3; ++step) {
      const auto [format, grid] = quantizer->Grid(w);
      const at::Tensor actual = (*quantizer)(w, false);
      const at::Tensor expected = format.HasScale()
                                      ? quantize::PutOnLearnedGrid(quantizer->Latent(w), format, axis, grid).value
                                      : QuantizeWeight(quantizer->Latent(w), format, axis).value;
      ASSERT_TRUE(torch::equal(actual, expected)) << "step " << step << '\n' << (actual - expected).abs().max();
      Move(*quantizer);
      w = w * 1.1 + 0.01;
    }
  }
}

TEST_P(InputMethods, GiveToTheLastBitWhatTheRangeGives) {
  at::manual_seed(6);
  for (const bool below_zero : {false, true}) {
    at::Tensor x = 2 * torch::randn({8, 6, 5, 5});
    if (!below_zero) x = x.relu();
    const auto quantizer = StartedInput(GetParam(), {x, 0.5 * x});
    for (int step = 0; step < 3; ++step) {
      (*quantizer)(x, true);
      const auto [format, range] = quantizer->Range();
      at::Tensor clipped = x;
      if (const std::vector<double> bounds = quantizer->ChannelBounds(); !bounds.empty()) {
        const at::Tensor bound = torch::tensor(bounds).to(torch::kFloat).view({1, -1, 1, 1});
        clipped = torch::maximum(torch::minimum(x, bound), -bound);
      }
      const at::Tensor actual = (*quantizer)(x, false), expected = FakeQuantize(clipped, format, range);
      ASSERT_TRUE(torch::equal(actual, expected)) << "step " << step << '\n' << (actual - expected).abs().max();
      if (format.HasScale()) format.ValidateForActivations();
      Move(*quantizer);
      x = x * 1.3;
    }
  }
}

TEST_P(InputMethods, KeepsZeroExact) {
  at::manual_seed(6);
  const auto quantizer = StartedInput(GetParam(), {torch::randn({8, 6}).relu()});
  EXPECT_EQ((*quantizer)(torch::zeros({2, 6}), false).abs().max().item<float>(), 0);
}

TEST_P(WeightMethods, HandOnAGradient) {
  const at::Tensor w = Weight().requires_grad_();
  const auto quantizer = Started(GetParam(), w.detach());
  (*quantizer)(w, true).sum().backward();
  EXPECT_GT(w.grad().abs().max().item<float>(), 0);
}

TEST_P(InputMethods, KeepTheMemoryLayoutAndHandOnAGradient) {
  at::manual_seed(6);
  const at::Tensor x = torch::rand({4, 6, 5, 5}).contiguous(at::MemoryFormat::ChannelsLast).requires_grad_();
  const auto quantizer = StartedInput(GetParam(), {x.detach()});
  const at::Tensor rounded = (*quantizer)(x, true);
  EXPECT_EQ(rounded.strides(), x.strides());
  rounded.sum().backward();
  EXPECT_GT(x.grad().abs().max().item<float>(), 0);
}

TEST_P(WeightMethods, GoOnAsAnotherWhoseTensorsWereCopied) {
  const at::Tensor w = Weight();
  const auto one = Started(GetParam(), w), other = Started(GetParam(), 2 * w);
  Move(*one);
  const std::vector<QuantizerTensor> from = one->tensors(), to = other->tensors();
  ASSERT_EQ(from.size(), to.size());
  {
    const at::NoGradGuard no_grad;
    for (std::size_t i = 0; i < from.size(); ++i) to[i].value.copy_(from[i].value);
  }
  EXPECT_TRUE(torch::equal((*one)(w, false), (*other)(w, false)));
  EXPECT_EQ(one->Grid(w), other->Grid(w));
}

TEST_P(InputMethods, GoOnAsAnotherWhoseTensorsWereCopied) {
  at::manual_seed(6);
  const at::Tensor x = torch::randn({4, 6, 5});
  const auto one = StartedInput(GetParam(), {x.relu()}), other = StartedInput(GetParam(), {2 * x});
  Move(*one);
  const std::vector<QuantizerTensor> from = one->tensors(), to = other->tensors();
  ASSERT_EQ(from.size(), to.size());
  {
    const at::NoGradGuard no_grad;
    for (std::size_t i = 0; i < from.size(); ++i) to[i].value.copy_(from[i].value);
  }
  EXPECT_TRUE(torch::equal((*one)(x, true), (*other)(x, true)));
  EXPECT_EQ(one->Range(), other->Range());
}

TEST_P(WeightMethods, TakeAWeightOfZeros) {
  const at::Tensor w = torch::zeros({4, 3}).requires_grad_();
  const auto quantizer = Started(GetParam(), w.detach());
  const at::Tensor rounded = (*quantizer)(w, true);
  EXPECT_TRUE(rounded.isfinite().all().item<bool>());
  rounded.sum().backward();
  EXPECT_TRUE(w.grad().isfinite().all().item<bool>());
}

TEST_P(InputMethods, AnInputOfZerosStaysZero) {
  const auto quantizer = StartedInput(GetParam(), {torch::zeros({4, 3})});
  EXPECT_EQ((*quantizer)(torch::zeros({4, 3}), true).abs().max().item<float>(), 0);
}

}  // namespace
}  // namespace bitplan::training_methods
