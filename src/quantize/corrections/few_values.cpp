#include "quantize/corrections/few_values.h"

#include "quantize/corrections/channel_correction.h"

namespace bitplan::quantize {

std::vector<std::string> LayersOfFewValues(const Network& network, const Dataset& data) {
  const std::vector<at::Tensor> one = data.Get(0, 1, at::Device(network.device())).inputs;
  std::vector<std::string> names;
  for (const auto& [layer, moments] : FloatMoments(network, one, 1))
    if (moments.elements * static_cast<double>(data.size()) < kFewestValues)
      names.push_back(network.layers()[static_cast<std::size_t>(layer)].name);
  return names;
}

}  // namespace bitplan::quantize
