#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/types.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

namespace bitplan::hessian {
namespace {

constexpr std::int64_t kMebibyte = 1 << 20;

struct Load {
  std::filesystem::path model;
  std::int64_t channels = 3, size = 32, samples = 32;
};

/// What memory_use, a process of its own, prints.
std::string RunHelper(const Load& load, std::int64_t limit, const std::string& what) {
  const std::string command = fmt::format("OMP_NUM_THREADS=1 {} {} {} {} {} {} {} 2>&1", BITPLAN_MEMORY_USE,
                                          load.model.string(), load.channels, load.size, load.samples, limit, what);
  const auto close = [](FILE* file) { pclose(file); };
  const std::unique_ptr<FILE, decltype(close)> pipe(popen(command.c_str(), "r"), close);
  std::string text;
  for (std::array<char, 256> part; fgets(part.data(), part.size(), pipe.get());) text += part.data();
  return text;
}

std::int64_t Growth(const Load& load, std::int64_t limit, const std::string& what = "float32") {
  const std::string text = RunHelper(load, limit, what);
  long long before = 0, growth = 0;
  EXPECT_EQ(std::sscanf(text.c_str(), "%lld %lld", &before, &growth), 2) << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;  // the library prints nothing
  std::printf("%s: limit %.1f MiB, growth %.1f MiB\n", what.c_str(), static_cast<double>(limit) / kMebibyte,
              static_cast<double>(growth) / kMebibyte);
  return growth;
}

Load BundledResNet20() { return {std::filesystem::path(BITPLAN_EXAMPLES_DIR) / "cifar10" / "resnet20.pt"}; }

/// 99 convolutions and a linear layer, 25 million weights, random.
Load HundredLayers() {
  constexpr int kConvolutions = 99, kChannels = 168;
  at::manual_seed(2);
  torch::jit::Module module("HundredLayers");
  std::string forward = "def forward(self, x):\n";
  for (int i = 0; i < kConvolutions; ++i) {
    const std::string name = fmt::format("weight{}", i);
    const int inputs = i == 0 ? 3 : kChannels;
    module.register_parameter(name, torch::randn({kChannels, inputs, 3, 3}) * std::sqrt(2.0 / (9 * inputs)), false);
    forward += fmt::format("    x = torch.relu(torch.conv2d(x, self.{}, padding=[1, 1]))\n", name);
  }
  module.register_parameter("head", torch::randn({10, kChannels}) * 0.1, false);
  module.define(forward + "    return torch.linear(torch.mean(x, [2, 3]), self.head)\n");
  const auto file = std::filesystem::temp_directory_path() / fmt::format("hundred_layers_{}.pt", getpid());
  module.save(file.string());
  return {file, 3, 8, 8};
}

TEST(Memory, StaysWithinTheLimitOnResNet20) {
  for (const std::int64_t mebibytes : {64, 128, 256, 512})
    EXPECT_LE(Growth(BundledResNet20(), mebibytes * kMebibyte), 1.1 * static_cast<double>(mebibytes * kMebibyte))
        << mebibytes << " MiB";
}

TEST(Memory, StaysWithinTheLimitInBFloat16) {
  EXPECT_LE(Growth(BundledResNet20(), 128 * kMebibyte, "bfloat16"), 1.1 * static_cast<double>(128 * kMebibyte));
}

class OutputFigures : public testing::TestWithParam<std::string> {};

TEST_P(OutputFigures, StayWithinTheLimit) {
  for (const std::int64_t mebibytes : {64, 128, 256}) {
    Load load = BundledResNet20();
    load.samples = 128;
    EXPECT_LE(Growth(load, mebibytes * kMebibyte, GetParam()), 1.1 * static_cast<double>(mebibytes * kMebibyte))
        << mebibytes << " MiB";
  }
}

INSTANTIATE_TEST_SUITE_P(Memory, OutputFigures, testing::Values("measured", "linear", "input-fisher"),
                         [](const auto& each) { return each.param == "input-fisher" ? "InputFisher" : each.param; });

TEST(Memory, StaysWithinTheLimitOnAHundredLayersOf25MillionWeights) {
  const Load load = HundredLayers();
  for (const std::int64_t mebibytes : {256, 512})
    EXPECT_LE(Growth(load, mebibytes * kMebibyte), 1.1 * static_cast<double>(mebibytes * kMebibyte))
        << mebibytes << " MiB";
  EXPECT_THAT(RunHelper(load, 16 * kMebibyte, "float32"), testing::HasSubstr("one sample takes"));
  std::filesystem::remove(load.model);
}

}  // namespace
}  // namespace bitplan::hessian
