// Time of the forward on integers against the fake-quantized and the float one, side by side, on the bundled ResNet-20.

#include "bitplan/integer.h"

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
  const std::filesystem::path folder = std::filesystem::path(BITPLAN_EXAMPLES_DIR) / "cifar10";
  const Network network = Network::Load(folder / "resnet20.pt");
  bitplan::DataOptions data_options;
  data_options.samples = 128;
  const auto data = bitplan::Dataset::Load("cifar10:" + (folder / "train.bin").string(), data_options);
  const auto inputs = data.Get(0, data.size()).inputs;
  fmt::print("ResNet-20, batch 128, median of 5 rounds; times of the float network\n");
  fmt::print("{:<8}{:>13}{:>10}{:>12}{:>16}{:>10}\n", "plan", "accumulators", "float ms", "integer ms",
             "fake-quantized", "integer");
  for (const int weight_bits : {8, 4})
    for (const int accumulator_bits : {32, 16}) {
      const auto quantized = bitplan::QuantizedNetwork::Create(network, UniformPlan(network, weight_bits, 8), data);
      const auto integer = bitplan::IntegerNetwork::Create(quantized, {.accumulator_bits = accumulator_bits});
      std::vector<double> exact, fake, whole;
      for (int round = 0; round < 5; ++round) {
        exact.push_back(Seconds([&] { network.Forward(inputs); }));
        fake.push_back(Seconds([&] { quantized.Forward(inputs); }));
        whole.push_back(Seconds([&] { integer.Forward(inputs); }));
      }
      fmt::print("w{}a8{:>17}{:>10.1f}{:>12.1f}{:>15.2f}x{:>9.2f}x\n", weight_bits, accumulator_bits,
                 1e3 * Median(exact), 1e3 * Median(whole), Median(fake) / Median(exact), Median(whole) / Median(exact));
    }
}
