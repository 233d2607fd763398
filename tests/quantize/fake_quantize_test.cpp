#include <gtest/gtest.h>
#include <torch/types.h>

#include <cmath>

#include "bitplan/quantize.h"

namespace bitplan::quantize {
namespace {

Format ActivationFormat(int bits, Scheme scheme) {
  Format format = DefaultActivationFormat().WithBits(bits);
  format.scheme = scheme;
  return format;
}

TEST(FakeQuantize, IsTheFormulaOfEveryFormat) {
  const at::Tensor x = torch::linspace(-3, 3, 1001);
  for (int bits = 2; bits <= 8; ++bits)
    for (const Scheme scheme : {Scheme::Symmetric, Scheme::Asymmetric}) {
      const double lowest = scheme == Scheme::Symmetric ? -std::exp2(bits - 1) : 0;
      const double highest = lowest + std::exp2(bits) - 1;
      const ActivationRange range{0.0625, scheme == Scheme::Symmetric ? 0 : 3};
      const at::Tensor actual = FakeQuantize(x, ActivationFormat(bits, scheme), range);
      for (std::int64_t i = 0; i < x.numel(); ++i) {
        const double q = std::nearbyint(x[i].item<double>() / 0.0625) + static_cast<double>(range.zero_point);
        const double expected =
            0.0625 * (std::min(std::max(q, lowest), highest) - static_cast<double>(range.zero_point));
        ASSERT_EQ(actual[i].item<double>(), expected) << bits << " bits, x = " << x[i].item<double>();
      }
    }
}

TEST(FakeQuantize, GradientIsOneInsideTheRangeAndZeroOutside) {
  const at::Tensor x = torch::tensor({-2.0f, -0.51f, -0.4f, 0.0f, 0.3f, 0.74f, 0.9f, 5.0f}).requires_grad_();
  // Grid −0.5, −0.25, 0, …, 1.25 of three bits with zero point 2.
  const at::Tensor y = FakeQuantize(x, ActivationFormat(3, Scheme::Asymmetric), {0.25, 2});
  y.backward(torch::full_like(x, 3));
  EXPECT_TRUE(torch::equal(x.grad(), 3 * torch::tensor({0.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 0.0f}))) << x.grad();
}

/// Of levels 0, 2^−n, …, 1 with the codes 0, 1, …: the one nearest to |r|, of two as near the one with the even code.
double NearestPower(double r, int n) {
  double best = 0, distance = std::abs(r);
  bool best_even = true;
  for (int i = n; i >= 0; --i) {
    const double level = std::exp2(-i), off = std::abs(std::abs(r) - level);
    const bool even = (n - i + 1) % 2 == 0;
    if (off < distance || (off == distance && even && !best_even)) best = level, distance = off, best_even = even;
  }
  return r < 0 ? -best : best;
}

TEST(FakeQuantize, PowersOfTwoAreTheNearestAndOfTwoTheOneWithTheEvenCode) {
  for (const int bits : {2, 3, 4, 5}) {
    Format format = DefaultActivationFormat().WithBits(bits);
    format.type = NumberType::PowerOfTwo;
    format.scheme = Scheme::Symmetric;
    format.scale_type = ScaleType::PowerOfTwo;
    const int n = (1 << (bits - 1)) - 2;
    std::vector<float> values = {0, -0.0F, 1e-30F, 7, -7, 1e3F};
    for (int i = 0; i <= n + 2; ++i)
      for (const float factor : {1.0F, 0.75F, 0.7499999F, 0.7500001F, 1.3F, -0.75F})
        values.push_back(std::ldexp(factor, -i));
    const at::Tensor x = at::tensor(values) * 0.5;
    const at::Tensor actual = FakeQuantize(x, format, {0.5, 0});
    for (std::size_t i = 0; i < values.size(); ++i)
      EXPECT_EQ(actual[static_cast<std::int64_t>(i)].item<double>(), 0.5 * NearestPower(values[i], n))
          << bits << " bits, " << values[i];
    EXPECT_TRUE(FakeQuantize(at::full({3}, NAN), format, {0.5, 0}).isnan().all().item<bool>());
  }
}

TEST(FakeQuantize, SixteenBitsRoundToFloat16AndHandTheGradientOn) {
  const at::Tensor x = torch::randn({100}).requires_grad_();
  const at::Tensor y = FakeQuantize(x, ActivationFormat(16, Scheme::Asymmetric), {});
  EXPECT_TRUE(torch::equal(y, x.detach().to(torch::kHalf).to(torch::kFloat)));
  EXPECT_FALSE(torch::equal(y, x.detach()));
  const at::Tensor gradient = torch::full_like(x, 1e-9);  // float16 cannot hold this
  y.backward(gradient);
  EXPECT_TRUE(torch::equal(x.grad(), gradient));
}

TEST(FakeQuantize, ThirtyTwoBitsChangeNothing) {
  const at::Tensor x = torch::randn({10});
  EXPECT_TRUE(torch::equal(FakeQuantize(x, ActivationFormat(32, Scheme::Asymmetric), {}), x));
}

}  // namespace
}  // namespace bitplan::quantize
