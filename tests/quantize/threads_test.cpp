// Whatever the number of threads, the numbers are the same.
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <atomic>

#include "quantize/networks.h"

namespace bitplan::quantize {
namespace {

class Threads : public testing::Test {
 protected:
  ~Threads() override { at::set_num_threads(before_); }

  /// What `compute` gives on one thread and on two.
  template <typename Compute>
  static std::pair<at::Tensor, at::Tensor> OnOneAndTwo(const Compute& compute) {
    at::set_num_threads(1);
    const at::Tensor alone = compute();
    at::set_num_threads(2);
    return {alone, compute()};
  }

 private:
  int before_ = at::get_num_threads();
};

TEST_F(Threads, AreUsedByLoops) {
  at::set_num_threads(2);
  std::atomic<int> pieces = 0;
  at::parallel_for(0, 1 << 20, 1, [&](std::int64_t, std::int64_t) { ++pieces; });
  EXPECT_EQ(pieces, 2);
}

TEST_F(Threads, ChangeNoRoundedInput) {
  const at::Tensor x = 3 * at::randn({1 << 18}, at::make_generator<at::CPUGeneratorImpl>(1));
  for (const NumberType type : {NumberType::Integer, NumberType::E4M3, NumberType::PowerOfTwo}) {
    Format format = DefaultActivationFormat().WithBits(type == NumberType::PowerOfTwo ? 4 : 8);
    format.type = type;
    if (type == NumberType::PowerOfTwo) format.scale_type = ScaleType::PowerOfTwo;
    const auto [alone, together] = OnOneAndTwo([&] { return FakeQuantize(x, format, {0.25, 0}); });
    EXPECT_TRUE(alone.equal(together)) << ToString(type);
    EXPECT_FALSE(alone.equal(x)) << ToString(type);
  }
}

TEST_F(Threads, ChangeNoWeight) {
  const at::Tensor weight = at::randn({64, 32, 3, 3}, at::make_generator<at::CPUGeneratorImpl>(2));
  for (const int bits : {2, 4, 8}) {
    const auto [alone, together] =
        OnOneAndTwo([&] { return QuantizeWeight(weight, DefaultWeightFormat().WithBits(bits), 0).value; });
    EXPECT_TRUE(alone.equal(together)) << bits;
  }
}

}  // namespace
}  // namespace bitplan::quantize
