#include "quantize/quantized_weights.h"

#include <fmt/format.h>

#include "bitplan/error.h"
#include "quantize/weight_grid.h"

namespace bitplan::quantize {

namespace {

/// What `work` gives; its errors with the layer's name.
template <typename Work>
auto ForLayer(const Layer& layer, const Work& work) {
  try {
    return work();
  } catch (const Error& error) {
    throw Error(fmt::format("layer '{}': {}", layer.name, error.what()));
  }
}

}  // namespace

QuantizedWeights::QuantizedWeights(const Network& network, const Format& format, const std::vector<int>& widths,
                                   const ProgressCallback& progress)
    : network_(network), format_(format) {
  std::vector<Format> formats;
  for (const int bits : widths) formats.push_back(format.WithBits(bits));
  const std::vector<Layer>& layers = network.layers();
  for (std::size_t i = 0; i < layers.size(); ++i) {
    std::map<int, QuantizedTensor>& grids = grids_.emplace_back();
    for (QuantizedTensor& grid :
         ForLayer(layers[i], [&] { return FindGrids(network.Weight(layers[i]), formats, layers[i].channel_axis); }))
      grids.emplace(grid.format.bits, std::move(grid));
    Report(progress, "quantizing weights", static_cast<std::int64_t>(i + 1), static_cast<std::int64_t>(layers.size()));
  }
}

QuantizedTensor QuantizedWeights::At(std::size_t layer, int bits) const {
  const Layer& found = network_.layers()[layer];
  return ForLayer(found, [&] {
    const at::Tensor weight = network_.Weight(found);
    return bits == 32 ? QuantizeWeight(weight, format_.WithBits(bits), found.channel_axis)
                      : PutOnGrid(weight, grids_[layer].at(bits));
  });
}

}  // namespace bitplan::quantize
