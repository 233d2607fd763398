#include "bitplan/roofline.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bitplan/error.h"
#include "moved_bytes.h"

namespace bitplan {

namespace {

bool IsRate(double number) { return std::isfinite(number) && number > 0; }

double MacsPerSecond(const Roofline& device, int weight_bits, int activation_bits) {
  const int wider = std::max(weight_bits, activation_bits);
  const auto found = device.macs_per_second.lower_bound(wider);
  if (found == device.macs_per_second.end())
    throw Error(fmt::format("the device ({}) computes with at most {} bits; a plan may have {}", device.source,
                            device.macs_per_second.rbegin()->first, wider));
  return found->second;
}

}  // namespace

void Roofline::Validate() const {
  if (macs_per_second.empty()) throw Error("macs_per_second is empty; expected a rate for at least one width");
  for (const auto& [bits, rate] : macs_per_second)
    if (bits < 1 || bits > 32 || !IsRate(rate))
      throw Error(fmt::format(
          "macs_per_second has {} at {} bits; expected widths from 1 to 32 and finite rates above 0", rate, bits));
  if (!IsRate(bytes_per_second))
    throw Error(fmt::format("bytes_per_second is {}, must be finite and above 0", bytes_per_second));
  if (!std::isfinite(seconds_per_layer) || seconds_per_layer < 0)
    throw Error(fmt::format("seconds_per_layer is {}, must be finite and at least 0", seconds_per_layer));
}

CostTable RooflineLatency(const std::vector<LayerWork>& layers, const Roofline& device,
                          const std::vector<int>& weight_bits, const std::vector<int>& activation_bits) {
  device.Validate();
  const auto latency = [&](std::size_t i, int weight, int activation) {
    const LayerWork& layer = layers[i];
    const double computing = static_cast<double>(layer.macs) / MacsPerSecond(device, weight, activation);
    const double bytes = cost::PackedBytes(layer.weights, weight) + cost::PackedBytes(layer.inputs, activation) +
                         cost::PackedBytes(layer.outputs, activation);
    return 1e3 * (std::max(computing, bytes / device.bytes_per_second) + device.seconds_per_layer);
  };
  return Tabulate("latency_ms", device.source, weight_bits, activation_bits, cost::NamesOf(layers), latency);
}

}  // namespace bitplan
