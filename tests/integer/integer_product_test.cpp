#include "integer_product.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <variant>
#include <vector>

#include "network/model_case.h"
#include "quantize/networks.h"

namespace bitplan::integer {
namespace {

/// How a layer of two spatial axes slides; a linear layer is a convolution of one pixel.
struct Geometry {
  std::int64_t stride = 1, padding = 0, dilation = 1, groups = 1;
  bool transposed = false;
};

/// One product of codes.
struct Term {
  std::int64_t weight = 0, input = 0;
};

/// Integers [N, C, H, W] or [O, I, h, w], by plain indexing.
struct Integers {
  explicit Integers(const at::Tensor& tensor) : sizes(tensor.sizes().vec()) {
    const at::Tensor flat = tensor.to(at::kLong).contiguous();
    values.assign(flat.const_data_ptr<std::int64_t>(), flat.const_data_ptr<std::int64_t>() + flat.numel());
  }
  std::int64_t At(std::int64_t a, std::int64_t b, std::int64_t c, std::int64_t d) const {
    return values[static_cast<std::size_t>(((a * sizes[1] + b) * sizes[2] + c) * sizes[3] + d)];
  }
  std::vector<std::int64_t> sizes, values;
};

/// The products of one output, in order of input channel and kernel position.
std::vector<Term> TermsOf(const Integers& x, const Integers& w, const Geometry& how, std::int64_t n, std::int64_t o,
                          std::int64_t row, std::int64_t column) {
  std::vector<Term> terms;
  const std::int64_t inputs = x.sizes[1] / how.groups;
  const std::int64_t outputs = how.transposed ? w.sizes[1] : w.sizes[0] / how.groups;
  const std::int64_t group = o / outputs;
  for (std::int64_t i = 0; i < inputs; ++i)
    for (std::int64_t ky = 0; ky < w.sizes[2]; ++ky)
      for (std::int64_t kx = 0; kx < w.sizes[3]; ++kx) {
        std::int64_t y = row * how.stride + ky * how.dilation - how.padding,
                     z = column * how.stride + kx * how.dilation - how.padding;
        if (how.transposed) {
          y = row + how.padding - ky * how.dilation;
          z = column + how.padding - kx * how.dilation;
          if (y % how.stride != 0 || z % how.stride != 0) continue;
          y /= how.stride;
          z /= how.stride;
        }
        if (y < 0 || z < 0 || y >= x.sizes[2] || z >= x.sizes[3]) continue;
        const std::int64_t channel = group * inputs + i;
        terms.push_back(
            {how.transposed ? w.At(channel, o % outputs, ky, kx) : w.At(o, i, ky, kx), x.At(n, channel, y, z)});
      }
  return terms;
}

/// What the header says an accumulator goes through; returns its last value and counts it if it overflowed.
std::int64_t Accumulate(const std::vector<Term>& terms, std::int64_t weight_zero, std::int64_t input_zero,
                        std::int64_t bias, const IntegerOptions& options, std::int64_t& overflows) {
  const std::int64_t largest = (std::int64_t{1} << (options.accumulator_bits - 1)) - 1, least = -largest - 1;
  std::int64_t sum = 0, weights = 0, inputs = 0;
  bool overflowed = false;
  const auto add = [&](std::int64_t number) {
    sum += number;
    overflowed |= sum < least || sum > largest;
    if (options.overflow == Overflow::Saturate) {
      sum = std::clamp(sum, least, largest);
    } else {
      while (sum > largest) sum -= 2 * (largest + 1);
      while (sum < least) sum += 2 * (largest + 1);
    }
  };
  for (const Term& term : terms) {
    add(term.weight * term.input);
    weights += term.weight;
    inputs += term.input;
  }
  add(-input_zero * weights);
  add(-weight_zero * inputs);
  add(static_cast<std::int64_t>(terms.size()) * weight_zero * input_zero);
  add(bias);
  overflows += overflowed ? 1 : 0;
  return sum;
}

Format WeightFormat(int bits, Scheme scheme, Granularity granularity) {
  Format format = DefaultWeightFormat().WithBits(bits);
  format.scheme = scheme;
  format.granularity = granularity;
  return format;
}

at::Tensor FourAxes(const at::Tensor& tensor) {
  return tensor.dim() == 2 ? tensor.unsqueeze(-1).unsqueeze(-1) : tensor;
}

/// Compares a layer's product with the definition, on random codes, in all formats and accumulators.
void CheckLayer(const Network& network, const Dataset& data, int index, const Geometry& how,
                std::vector<std::int64_t> input_shape, bool weight_is_transposed = false) {
  const auto layer = static_cast<std::size_t>(index);
  std::int64_t overflowed = 0, compared = 0;
  for (const Format& weight : {WeightFormat(8, Scheme::Symmetric, Granularity::Channel),
                               WeightFormat(4, Scheme::Asymmetric, Granularity::Channel),
                               WeightFormat(8, Scheme::Asymmetric, Granularity::Tensor),
                               WeightFormat(2, Scheme::Symmetric, Granularity::Tensor)}) {
    Plan plan = UniformPlan(network, weight, DefaultActivationFormat());
    plan.corrections.output = OutputCorrection::None;
    const QuantizedNetwork quantized = QuantizedNetwork::Create(network, plan, data);
    QuantizedState state = quantize::StateOf(quantized);
    ActivationRange& range = state.inputs.at(network.layers()[layer].uses[0].input_site).range;
    range.zero_point = 37;
    const network::StepProgram program(network);
    const auto use = std::find_if(program.layers().begin(), program.layers().end(),
                                  [&](const network::LayerOperator& each) { return each.layer == index; });
    ASSERT_NE(use, program.layers().end());
    const QuantizedTensor& grid = state.weights[layer];
    const at::Tensor codes =
        at::randint(0, 256, input_shape, at::make_generator<at::CPUGeneratorImpl>(std::uint64_t{7}), at::kInt);
    const Integers x(FourAxes(codes)), w(FourAxes(weight_is_transposed ? grid.q.t() : grid.q));
    for (const IntegerOptions& options :
         {IntegerOptions{}, IntegerOptions{.accumulator_bits = 12},
          IntegerOptions{.accumulator_bits = 12, .overflow = Overflow::Wrap}, IntegerOptions{.accumulator_bits = 16},
          IntegerOptions{.accumulator_bits = 40, .overflow = Overflow::Wrap}}) {
      const auto made = IntegerProduct::Of(network, state, *use, options);
      ASSERT_TRUE(std::holds_alternative<IntegerProduct>(made)) << std::get<std::string>(made);
      const IntegerProduct& product = std::get<IntegerProduct>(made);
      std::int64_t overflows = 0, expected_overflows = 0;
      const at::Tensor sums = product(codes, overflows);
      EXPECT_EQ(sums.scalar_type(), options.accumulator_bits > 32 ? at::kLong : at::kInt);
      const Integers y(FourAxes(sums));
      const int bias_index = network.layers()[layer].bias;
      std::int64_t wrong = 0;
      for (std::int64_t n = 0; n < y.sizes[0]; ++n)
        for (std::int64_t o = 0; o < y.sizes[1]; ++o) {
          const std::int64_t channel = how.transposed ? o % w.sizes[1] : o;
          const auto of_channel = [&](const at::Tensor& numbers) {
            return numbers[numbers.numel() == 1 ? 0 : channel];
          };
          const double scale = of_channel(grid.scale).item<double>() * static_cast<float>(range.scale);
          const double bias =
              bias_index < 0 ? 0 : state.parameters[static_cast<std::size_t>(bias_index)][o].item<double>();
          for (std::int64_t row = 0; row < y.sizes[2]; ++row)
            for (std::int64_t column = 0; column < y.sizes[3]; ++column)
              wrong +=
                  y.At(n, o, row, column) !=
                  Accumulate(TermsOf(x, w, how, n, o, row, column), of_channel(grid.zero_point).item<std::int64_t>(),
                             range.zero_point, std::llrint(bias / scale), options, expected_overflows);
        }
      EXPECT_EQ(wrong, 0) << "of " << sums.numel() << " in " << options.accumulator_bits << " bits, weights of "
                          << weight.bits;
      EXPECT_EQ(overflows, expected_overflows);
      EXPECT_TRUE(overflows == 0 || options.accumulator_bits < 32);
      overflowed += overflows;
      compared += sums.numel();
    }
  }
  EXPECT_GT(overflowed, 0);
  EXPECT_LT(overflowed, compared);
}

TEST(IntegerProduct, OfAConvolutionIsItsDefinition) {
  const Network network = LoadModel("Chain", 0);
  CheckLayer(network, Samples({16, 3, 8, 8}), 0, {.padding = 1}, {2, 3, 8, 8});
}

TEST(IntegerProduct, OfALinearLayerIsItsDefinition) {
  const Network network = LoadModel("SharedInput");
  CheckLayer(network, Samples({64, 6}), 0, {}, {50, 6});
}

TEST(IntegerProduct, OfATransposedConvolutionIsItsDefinition) {
  const Network network = LoadModel("WithoutBias", 0);
  CheckLayer(network, Samples({16, 3, 4, 4}), 0, {.stride = 2, .transposed = true}, {2, 3, 4, 4});
}

TEST(IntegerProduct, OfAGroupedTransposedConvolutionIsItsDefinition) {
  const Network network = LoadModel("GroupedTransposed");
  CheckLayer(network, Samples({16, 4, 4, 4}), 0, {.groups = 2, .transposed = true}, {2, 4, 4, 4});
}

TEST(IntegerProduct, OfADepthwiseDilatedConvolutionIsItsDefinition) {
  const Network network = test::ModelCase("conv2d").Load("scripted");
  CheckLayer(network, Samples({16, 2, 6, 5}), test::LayerIndex(network, "depthwise"),
             {.padding = 2, .dilation = 2, .groups = 4}, {2, 4, 6, 5});
}

TEST(IntegerProduct, OfAMatrixOnTheRightIsItsDefinition) {
  const Network network = LoadModel("WithoutBias", 2);
  const int last = test::LayerIndex(network, "matrix");
  ASSERT_GE(last, 0);
  CheckLayer(network, Samples({16, 3, 4, 4}), last, {}, {50, 7}, true);
}

}  // namespace
}  // namespace bitplan::integer
