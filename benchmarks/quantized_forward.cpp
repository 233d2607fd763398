// Time of the quantized network's forward against the float network's, side by side, on the bundled ResNet-20.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "bitplan/quantize.h"

namespace {

using bitplan::Network;
using bitplan::Plan;
using bitplan::QuantizedNetwork;

double Seconds(const std::function<void()>& call) {
  const auto start = std::chrono::steady_clock::now();
  call();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

Plan UniformPlan(const Network& network, int weight_bits, int activation_bits) {
  Plan plan;
  for (const bitplan::Layer& layer : network.layers())
    plan.layers.push_back({layer.name, bitplan::DefaultWeightFormat().WithBits(weight_bits),
                           bitplan::DefaultActivationFormat().WithBits(activation_bits)});
  return plan;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

int main() {
  const std::filesystem::path folder = std::filesystem::path(BITPLAN_EXAMPLES_DIR) / "cifar10";
  const Network network = Network::Load(folder / "resnet20.pt");
  bitplan::DataOptions options;
  options.samples = 128;
  const auto data = bitplan::Dataset::Load("cifar10:" + (folder / "train.bin").string(), options);
  const auto inputs = data.Get(0, data.size()).inputs;

  fmt::print("{:<8}{:>12}{:>14}{:>8}   ResNet-20, batch 128, median of 15\n", "plan", "float ms", "quantized ms",
             "ratio");
  for (const auto& [name, weight_bits, activation_bits] :
       {std::tuple{"W4", 4, 32}, std::tuple{"W4A8", 4, 8}, std::tuple{"W4A16", 4, 16}}) {
    const auto quantized = QuantizedNetwork::Create(network, UniformPlan(network, weight_bits, activation_bits), data);
    std::vector<double> float_seconds, quantized_seconds;
    for (int round = 0; round < 15; ++round) {
      float_seconds.push_back(Seconds([&] { network.Forward(inputs); }));
      quantized_seconds.push_back(Seconds([&] { quantized.Forward(inputs); }));
    }
    const double before = Median(float_seconds), after = Median(quantized_seconds);
    fmt::print("{:<8}{:>12.1f}{:>14.1f}{:>8.2f}\n", name, 1e3 * before, 1e3 * after, after / before);
  }
}
