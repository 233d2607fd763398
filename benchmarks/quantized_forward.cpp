// Time of the quantized network's forward against the float network's, side by side, on the bundled ResNet-20.

#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <vector>

#include "bitplan/configuration.h"
#include "bitplan/process.h"
#include "bitplan/quantize.h"
#include "stopwatch.h"

namespace {

using bitplan::Network;
using bitplan::QuantizedNetwork;

bitplan::Format Of(bitplan::NumberType type, int bits) {
  bitplan::Format format = bitplan::DefaultActivationFormat().WithBits(bits);
  format.type = type;
  if (type == bitplan::NumberType::PowerOfTwo) format.scale_type = bitplan::ScaleType::PowerOfTwo;
  return format;
}

}  // namespace

int main(int, char** argv) {
  bitplan::ShareProcessors(argv);
  bitplan::KeepFreedMemory();
  const std::filesystem::path folder = std::filesystem::path(BITPLAN_EXAMPLES_DIR) / "cifar10";
  const Network network = Network::Load(folder / "resnet20.pt");
  bitplan::DataOptions options;
  options.samples = 128;
  const auto data = bitplan::Dataset::Load("cifar10:" + (folder / "train.bin").string(), options);
  const auto inputs = data.Get(0, data.size()).inputs;

  fmt::print("{:<8}{:>12}{:>14}{:>8}   ResNet-20, batch 128, median of 15\n", "plan", "float ms", "quantized ms",
             "ratio");
  using bitplan::NumberType;
  for (const auto& [name, activation] :
       {std::pair{"W4", Of(NumberType::Float32, 32)}, std::pair{"W4A8", Of(NumberType::Integer, 8)},
        std::pair{"W4A16", Of(NumberType::Float16, 16)}, std::pair{"E4M3", Of(NumberType::E4M3, 8)},
        std::pair{"E2M1", Of(NumberType::E2M1, 4)}, std::pair{"2^-i", Of(NumberType::PowerOfTwo, 4)}}) {
    const auto quantized = QuantizedNetwork::Create(
        network,
        bitplan::MakeConfiguredPlan(network, {.weight = bitplan::DefaultWeightFormat().WithBits(4),
                                              .activation = activation,
                                              .rules = {},
                                              .corrections = {}}),
        data);
    std::vector<double> float_seconds, quantized_seconds;
    for (int round = 0; round < 15; ++round) {
      float_seconds.push_back(Seconds([&] { network.Forward(inputs); }));
      quantized_seconds.push_back(Seconds([&] { quantized.Forward(inputs); }));
    }
    const double before = Median(float_seconds), after = Median(quantized_seconds);
    fmt::print("{:<8}{:>12.1f}{:>14.1f}{:>8.2f}\n", name, 1e3 * before, 1e3 * after, after / before);
  }
}
