// Time of the forward on 8-bit kernels against the float and the fake-quantized one, side by side, on the bundled
// ResNet-20.

#include "bitplan/fast.h"

#include <fmt/format.h>

#include <filesystem>
#include <vector>

#include "bitplan/process.h"
#include "stopwatch.h"
#include "uniform_plan.h"

using bitplan::Network;

int main(int, char** argv) {
  bitplan::ShareProcessors(argv);
  bitplan::KeepFreedMemory();
  const at::NoGradGuard no_grad;
  const std::filesystem::path folder = std::filesystem::path(BITPLAN_EXAMPLES_DIR) / "cifar10";
  const Network network = Network::Load(folder / "resnet20.pt");
  bitplan::DataOptions data_options;
  data_options.samples = 512;
  const auto data = bitplan::Dataset::Load("cifar10:" + (folder / "train.bin").string(), data_options);
  fmt::print("ResNet-20, median of 15 rounds by turns\n{:<8}{:>7}{:>11}{:>11}{:>16}{:>9}\n", "plan", "batch",
             "float ms", "8-bit ms", "fake-quantized", "speedup");
  for (const int activation_bits : {8, 4}) {
    const auto quantized = bitplan::QuantizedNetwork::Create(network, UniformPlan(network, 8, activation_bits), data);
    const auto fast = bitplan::FastNetwork::Create(quantized);
    for (const std::int64_t batch : {1, 16, 128, 512}) {
      const auto inputs = data.Get(0, batch).inputs;
      std::vector<double> exact, fake, bytes;
      for (int round = 0; round < 15; ++round) {
        exact.push_back(Seconds([&] { network.Forward(inputs); }));
        fake.push_back(Seconds([&] { quantized.Forward(inputs); }));
        bytes.push_back(Seconds([&] { fast.Forward(inputs); }));
      }
      fmt::print("w8a{:<5}{:>7}{:>11.2f}{:>11.2f}{:>15.2f}x{:>8.2f}x\n", activation_bits, batch, 1e3 * Median(exact),
                 1e3 * Median(bytes), Median(fake) / Median(exact), Median(exact) / Median(bytes));
    }
  }
}
