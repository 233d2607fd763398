#include <gtest/gtest.h>

#include <tuple>

#include "corrections/ada_round.h"
#include "corrections/gptq.h"
#include "quantize/networks.h"
#include "quantize/weight_grid.h"

namespace bitplan::quantize {
namespace {

at::Generator GeneratorOf(std::uint64_t seed) { return at::make_generator<at::CPUGeneratorImpl>(seed); }

/// Inputs whose values depend on each other, [samples, d].
at::Tensor DependentInputs(std::int64_t d, std::uint64_t seed) {
  const at::Tensor mix = at::randn({d, d}, GeneratorOf(seed)) + 0.5;
  return at::randn({200, d}, GeneratorOf(seed + 1)).matmul(mix) + 0.3;
}

at::Tensor MomentsOf(const at::Tensor& x) {
  const at::Tensor values = x.to(at::kDouble);
  return values.t().matmul(values).div(static_cast<double>(x.size(0))).unsqueeze(0);
}

double OutputError(const at::Tensor& x, const at::Tensor& change) {
  return x.to(at::kDouble).matmul(change.to(at::kDouble).flatten(1).t()).square().sum().item<double>();
}

/// Rows of a weight [out, …] in as many groups as there are moments.
QuantizedTensor RoundBy(at::Tensor (*codes)(const at::Tensor&, const RowGrid&, at::Tensor), const at::Tensor& weight,
                        const QuantizedTensor& grid, const at::Tensor& moments) {
  const std::int64_t groups = moments.size(0), rows = weight.size(0) / groups;
  QuantizedTensor result = grid;
  std::vector<at::Tensor> parts;
  for (std::int64_t g = 0; g < groups; ++g)
    parts.push_back(
        codes(weight.flatten(1).narrow(0, g * rows, rows), RowGrid(grid, g * rows, rows, 0), moments[g].clone()));
  result.q = at::cat(parts).view(weight.sizes()).to(grid.q.scalar_type());
  result.value = ValueOnGrid(result.q, grid);
  return result;
}

QuantizedTensor RoundByGptq(const at::Tensor& weight, const QuantizedTensor& grid, const at::Tensor& moments) {
  return RoundBy(CodesByGptq, weight, grid, moments);
}

QuantizedTensor RoundByAdaRound(const at::Tensor& weight, const QuantizedTensor& grid, const at::Tensor& moments) {
  return RoundBy(CodesByAdaRound, weight, grid, moments);
}

std::vector<Format> RoundedFormats() {
  std::vector<Format> formats;
  for (const int bits : {2, 3, 4}) {
    formats.push_back(DefaultWeightFormat().WithBits(bits));
    formats.back().scheme = bits == 3 ? Scheme::Asymmetric : Scheme::Symmetric;
    formats.push_back(formats.back());
    formats.back().granularity = Granularity::Tensor;
    formats.push_back(formats.back());
    formats.back().granularity = Granularity::Group;
    formats.back().group_size = 6;
  }
  Format other;
  other.type = NumberType::Nf4;
  other.bits = 4;
  formats.push_back(other);
  other.type = NumberType::Ternary;
  other.bits = 2;
  formats.push_back(other);
  return formats;
}

/// Each column in turn goes to its nearest code, and those still to come are moved to where they make the damped
/// squared error least, found by solving their normal equations anew every time.
at::Tensor RoundedOneByOne(const at::Tensor& weight, const QuantizedTensor& grid, at::Tensor moments) {
  const std::int64_t d = weight.size(1);
  moments = moments + 0.01 * moments.diagonal().mean() * at::eye(d, moments.options());
  const at::Tensor order = moments.diagonal().argsort(0, true);
  at::Tensor current = weight.to(at::kDouble).clone();
  at::Tensor fixed = at::zeros_like(current);
  for (std::int64_t j = 0; j < d; ++j) {
    const auto column = order[j].item<std::int64_t>();
    QuantizedTensor one = grid;
    if (grid.scale.dim() == 2)
      for (at::Tensor* numbers : {&one.scale, &one.zero_point})
        if (numbers->defined()) *numbers = numbers->select(1, column / grid.format.group_size);
    const at::Tensor before = current.clone();
    fixed.select(1, column).copy_(ValueOnGrid(CodesOf(before.narrow(1, column, 1), one).q, one).squeeze(1));
    const at::Tensor done = order.slice(0, 0, j + 1), left = order.slice(0, j + 1);
    if (left.numel() == 0) break;
    // min over the rest of (ŵ − w) H (ŵ − w)ᵀ, the first part of ŵ − w given.
    const at::Tensor target = weight.to(at::kDouble);
    const at::Tensor known = (fixed - target).index_select(1, done);
    const at::Tensor cross = moments.index_select(0, left).index_select(1, done);
    const at::Tensor own = moments.index_select(0, left).index_select(1, left);
    const at::Tensor rest = -at::linalg_solve(own, cross.matmul(known.t())).t();
    current.index_copy_(1, left, target.index_select(1, left) + rest);
  }
  return fixed;
}

TEST(Gptq, PutsEachErrorWhereTheRestCanBestMakeUpForIt) {
  for (const Format& format : RoundedFormats())
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      const at::Tensor weight = at::randn({4, 12}, GeneratorOf(seed + 100)), x = DependentInputs(12, seed);
      const QuantizedTensor grid = QuantizeWeight(weight, format, 0);
      const at::Tensor moments = MomentsOf(x);
      const QuantizedTensor rounded = RoundByGptq(weight, grid, moments);
      const at::Tensor wanted = RoundedOneByOne(weight, grid, moments[0]);
      EXPECT_LE((rounded.value - wanted).abs().max().item<double>(), 1e-5)
          << ToString(format.type) << " " << format.bits << " " << ToString(format.granularity);
      EXPECT_TRUE(torch::equal(rounded.value, ValueOnGrid(rounded.q, grid)));
    }
}

TEST(Gptq, LowersTheOutputErrorAndLeavesTheGrid) {
  double nearest = 0, rounded = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const at::Tensor weight = at::randn({8, 2, 3, 3}, GeneratorOf(seed)), x = DependentInputs(18, seed);
    const QuantizedTensor grid = QuantizeWeight(weight, DefaultWeightFormat().WithBits(3), 0);
    const QuantizedTensor result = RoundByGptq(weight, grid, MomentsOf(x));
    EXPECT_TRUE(torch::equal(result.scale, grid.scale));
    nearest += OutputError(x, grid.value - weight);
    rounded += OutputError(x, result.value - weight);
  }
  EXPECT_LT(rounded, 0.6 * nearest);
}

/// One weight is far beyond the grid, and counts on few samples only, as those that make massive activations do.
TEST(Gptq, DoesNotSpoilARowForAWeightThatClippingLost) {
  constexpr int kRow = 3, kLost = 7;
  const at::Tensor ordinary = at::randn({300, 64}, GeneratorOf(1));
  ordinary.select(1, kLost).zero_();
  const at::Tensor few = at::rand({10, 64}, GeneratorOf(2)) + 1;
  few.select(1, kLost).fill_(100);
  const at::Tensor moments = MomentsOf(at::cat({ordinary, few}));
  Format format = DefaultWeightFormat().WithBits(8);
  format.granularity = Granularity::Tensor;
  const at::Tensor weight = 0.05 * at::randn({16, 64}, GeneratorOf(3));
  const QuantizedTensor grid = QuantizeWeight(weight, format, 0);
  weight[kRow][kLost] = 40;
  const at::Tensor nearest = ValueOnGrid(CodesOf(weight, grid).q, grid);
  const at::Tensor rounded = RoundByGptq(weight, grid, moments).value;
  EXPECT_EQ(rounded[kRow][kLost].item<float>(), nearest[kRow][kLost].item<float>());
  const auto error_of_row = [&](const at::Tensor& value) {
    return OutputError(ordinary, (value - weight).narrow(0, kRow, 1));
  };
  EXPECT_LT(error_of_row(rounded), 0.2 * error_of_row(at::zeros_like(weight)));
}

TEST(Gptq, KeepsInputsThatAreAlwaysZeroAtTheNearestCode) {
  const at::Tensor weight = at::randn({4, 6}, GeneratorOf(1));
  const QuantizedTensor grid = QuantizeWeight(weight, DefaultWeightFormat().WithBits(3), 0);
  const QuantizedTensor result = RoundByGptq(weight, grid, at::zeros({1, 6, 6}, at::kDouble));
  EXPECT_TRUE(torch::equal(result.q, grid.q));
}

/// The least error of all ways to round up or down.
double LeastError(const at::Tensor& row, const QuantizedTensor& grid, const at::Tensor& moments) {
  const std::int64_t d = row.numel();
  const double scale = grid.scale[0].item<double>();
  double least = std::numeric_limits<double>::infinity();
  const at::Tensor low = (row.to(at::kDouble) / scale).floor();
  for (std::uint64_t up = 0; up < (std::uint64_t{1} << d); ++up) {
    at::Tensor q = low.clone();
    for (std::int64_t i = 0; i < d; ++i)
      if ((up >> i) & 1U) q[i] += 1;
    const at::Tensor error =
        q.clamp(static_cast<double>(grid.format.QuantMin()), static_cast<double>(grid.format.QuantMax())) * scale - row;
    least = std::min(least, error.dot(moments.mv(error)).item<double>());
  }
  return least;
}

TEST(AdaRound, ComesCloseToTheBestOfAllWaysToRoundUpOrDown) {
  double nearest = 0, rounded = 0, best = 0;
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    const at::Tensor weight = at::randn({1, 8}, GeneratorOf(seed + 7)), moments = MomentsOf(DependentInputs(8, seed));
    Format format = DefaultWeightFormat().WithBits(4);
    format.calibrator = Calibrator::Max;  // clipping is none of rounding's errors
    const QuantizedTensor grid = QuantizeWeight(weight, format, 0);
    const QuantizedTensor result = RoundByAdaRound(weight, grid, moments);
    const auto error = [&](const at::Tensor& value) {
      const at::Tensor change = (value - weight).flatten().to(at::kDouble);
      return change.dot(moments[0].mv(change)).item<double>();
    };
    const at::Tensor steps = (result.value - weight) / grid.scale;
    EXPECT_LT(steps.abs().max().item<double>(), 1 + 1e-5);
    nearest += error(grid.value);
    rounded += error(result.value);
    best += LeastError(weight.flatten().to(at::kDouble), grid, moments[0]);
    EXPECT_GE(error(result.value), LeastError(weight.flatten().to(at::kDouble), grid, moments[0]) * (1 - 1e-6));
  }
  EXPECT_LE(rounded, 1.4 * best);
  EXPECT_LT(rounded, 0.6 * nearest);
}

TEST(AdaRound, RoundsAsymmetricGridsAndGroupsOfAConvolution) {
  Format format = DefaultWeightFormat().WithBits(3);
  format.scheme = Scheme::Asymmetric;
  format.calibrator = Calibrator::Max;
  const at::Tensor weight = at::randn({6, 2, 3, 3}, GeneratorOf(3)) + 0.2;
  const at::Tensor first = DependentInputs(18, 1), second = DependentInputs(18, 2);
  const QuantizedTensor grid = QuantizeWeight(weight, format, 0);
  const QuantizedTensor result = RoundByAdaRound(weight, grid, at::cat({MomentsOf(first), MomentsOf(second)}));
  const auto error = [&](const at::Tensor& value) {
    return OutputError(first, (value - weight).narrow(0, 0, 3)) + OutputError(second, (value - weight).narrow(0, 3, 3));
  };
  EXPECT_LT(error(result.value), 0.6 * error(grid.value));
  EXPECT_GE(result.q.min().item<int>(), 0);
  EXPECT_LE(result.q.max().item<int>(), 7);
  EXPECT_EQ(result.q.scalar_type(), grid.q.scalar_type());
}

/// Mean squared change of a network's output.
double MeanSquaredChange(const Network& network, const QuantizedNetwork& quantized, const Dataset& data) {
  return (quantized.Forward(AllInputs(data)) - network.Forward(AllInputs(data))).square().mean().item<double>();
}

TEST(Rounding, OfAWholeNetworkLowersItsErrorAndIsWhatItsFilesHold) {
  for (const auto& [name, output, x] :
       {std::tuple("Chain", 2, at::randn({64, 3, 8, 8}, GeneratorOf(0))), {"UsedTwice", 0, DependentInputs(6, 3)}}) {
    const Network network = LoadModel(name, output);
    const Dataset data = Dataset::FromTensors({x}, {});
    Plan plan = UniformPlan(network, 3, 8);
    const double nearest = MeanSquaredChange(network, QuantizedNetwork::Create(network, plan, data), data);
    for (const Rounding rounding : {Rounding::AdaRound, Rounding::Gptq}) {
      plan.corrections.rounding = rounding;
      const auto quantized = QuantizedNetwork::Create(network, plan, data);
      EXPECT_LT(MeanSquaredChange(network, quantized, data), nearest) << name << " " << ToString(rounding);
      for (std::size_t i = 0; i < network.layers().size(); ++i)
        EXPECT_TRUE(
            torch::equal(quantized.weights()[i].value, ValueOnGrid(quantized.weights()[i].q, quantized.weights()[i])));
    }
  }
}

TEST(Rounding, LeavesLayersThatItIsNotForAtTheNearestCodeAndSaysWhy) {
  const Network network = LoadModel("Tokens");
  const Dataset data = Dataset::FromTensors({at::randint(16, {32, 6}, GeneratorOf(0), at::kLong)}, {});
  Plan plan = UniformPlan(network, 3, 32);
  plan.corrections.rounding = Rounding::Gptq;
  const auto quantized = QuantizedNetwork::Create(network, plan, data);
  std::size_t changed = 0;
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    const Layer& layer = network.layers()[i];
    const QuantizedTensor nearest = QuantizeWeight(network.Weight(layer), plan.layers[i].weight, layer.channel_axis);
    const LayerRounding& told = quantized.roundings()[i];
    changed += !torch::equal(quantized.weights()[i].q, nearest.q);
    EXPECT_EQ(told.rounding == Rounding::Gptq, layer.op == "linear") << layer.name;
    EXPECT_EQ(told.reason.empty(), layer.op == "linear") << layer.name;
    if (layer.op != "linear") {
      EXPECT_TRUE(torch::equal(quantized.weights()[i].q, nearest.q)) << layer.name;
    }
  }
  EXPECT_EQ(changed, 1U);
}

}  // namespace
}  // namespace bitplan::quantize
