#include "integer/grid.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace bitplan::integer {
namespace {

at::Tensor Random(at::IntArrayRef shape, std::int64_t low, std::int64_t high, at::ScalarType type = at::kInt) {
  return at::randint(low, high, shape, at::make_generator<at::CPUGeneratorImpl>(std::uint64_t{5}), type);
}

QuantizedInput Input(int bits, Scheme scheme, double scale, std::int64_t zero_point) {
  Format format = DefaultActivationFormat();
  format.bits = bits;
  format.scheme = scheme;
  return {format, {scale, zero_point}};
}

TEST(IntegerGrid, CodesStandForWhatFakeQuantizeGives) {
  const at::Tensor x = at::randn({4, 3, 5, 5}, at::make_generator<at::CPUGeneratorImpl>(std::uint64_t{1})) * 3;
  for (const QuantizedInput& input : {Input(8, Scheme::Asymmetric, 0.031, 117), Input(4, Scheme::Symmetric, 0.5, 0),
                                      Input(2, Scheme::Unsigned, 0.7, 0), Input(16, Scheme::Asymmetric, 1e-4, 30000)}) {
    const IntegerGrid grid = GridOf(input);
    const at::Tensor codes = Quantized(x, grid);
    EXPECT_GE(codes.min().item<std::int64_t>(), input.format.QuantMin());
    EXPECT_LE(codes.max().item<std::int64_t>(), input.format.QuantMax());
    EXPECT_TRUE(Dequantized(codes, grid).equal(FakeQuantize(x, input.format, input.range)));
  }
}

/// The multiplier's value is rounded; the rest of the definition is exact in long double for these numbers.
TEST(IntegerGrid, RequantizesByChannel) {
  IntegerGrid from;
  from.scale = at::tensor({0.001, 0.0371, 1e-5}, at::kDouble);
  from.channel_axis = -3;
  const IntegerGrid to = GridOf(Input(8, Scheme::Asymmetric, 0.25, 77));
  const at::Tensor q = Random({2, 3, 4, 5}, -(1 << 20), 1 << 20);
  const at::Tensor result = Requantized(q, from, to, 31);
  for (std::int64_t n = 0; n < 2; ++n)
    for (std::int64_t c = 0; c < 3; ++c)
      for (std::int64_t i = 0; i < 20; ++i) {
        const long double exact =
            static_cast<long double>(q[n][c].flatten()[i].item<int>()) * from.scale[c].item<double>() / 0.25L;
        const auto code = result[n][c].flatten()[i].item<int>();
        const long double clipped = std::clamp(exact + 77, 0.0L, 255.0L);
        EXPECT_LE(std::abs(static_cast<double>(code - clipped)), 0.5 + 1e-6);
      }
}

TEST(IntegerGrid, MultipliersOfFewBitsAreOffByNoMoreThanTheirPrecision) {
  IntegerGrid from;
  from.scale = at::full({1}, 0.00137, at::kDouble);
  const IntegerGrid to = GridOf(Input(8, Scheme::Asymmetric, 0.25, 128));
  const at::Tensor q = Random({4000}, -23000, 23000), exact = q.to(at::kDouble) * (0.00137 / 0.25) + 128;
  bool differs = false;
  for (const int bits : {1, 2, 4, 8, 16, 31}) {
    const at::Tensor codes = Requantized(q, from, to, bits).to(at::kDouble);
    const double error = (codes - exact.clamp(0, 255)).abs().max().item<double>();
    EXPECT_LE(error, 0.5 + 127 * std::exp2(-bits) + 1e-9) << bits;
    differs |= error > 1;
  }
  EXPECT_TRUE(differs);
}

TEST(IntegerGrid, TakesOffAZeroPointFirst) {
  const IntegerGrid from = GridOf(Input(8, Scheme::Asymmetric, 0.5, 100));
  const at::Tensor codes = at::arange(256, at::kInt);
  const IntegerGrid wide = WideGrid(from.reach);
  EXPECT_TRUE(Dequantized(Requantized(codes, from, wide, 31), wide).equal(Dequantized(codes, from)));  // a power of two
}

TEST(IntegerGrid, WideGridsHoldTheirReachWithABitToSpare) {
  for (const double reach : {1e-9, 0.75, 1.0, 3.9, 4.0, 12345.678}) {
    const IntegerGrid grid = WideGrid(reach);
    EXPECT_LE(reach / grid.Scale(), 0x1p30);
    EXPECT_GE(reach / grid.Scale(), 0x1p28);
  }
}

}  // namespace
}  // namespace bitplan::integer
