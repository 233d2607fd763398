#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "bitplan/network.h"
#include "bitplan/progress.h"
#include "corrections/input_vectors.h"
#include "network/layer_product.h"
#include "quantize/quantized_network.h"

namespace bitplan::quantize {

/// One use of a layer that is to be rounded.
struct RoundedUse {
  network::LayerProduct product;
  InputVectors vectors;
};

/// Every use of a layer whose weight, planned in `format`, `rounding` can round; otherwise why not.
std::variant<std::vector<RoundedUse>, std::string> RoundedUses(const Network& network, std::size_t layer,
                                                               const Format& format, Rounding rounding);

/// Throws Error, naming the layer, when `memory_bytes` is too little to round a layer of the network as `plan` asks.
void CheckRoundingFits(const Network& network, const Plan& plan, std::int64_t memory_bytes);

/// Rounds the weights of the layers that read a tensor when it comes by, and says what that changes in their outputs. A
/// layer that is used several times is rounded on what its first use reads.
class WeightRounder {
 public:
  /// `memory_bytes`: as QuantizeOptions has it.
  WeightRounder(const Network& network, Rounding rounding, std::int64_t memory_bytes, const ProgressCallback& progress,
                QuantizedState& state);

  void Read(int site, const at::Tensor& x);

  /// What has to be added to a layer's output.
  std::optional<at::Tensor> TakeChange(int output_site);

 private:
  struct Reader {
    std::size_t layer;
    int output_site;
    RoundedUse use;
  };

  void Add(std::size_t layer);
  void Round(const Reader& reader, const at::Tensor& x);

  const Network& network_;
  Rounding rounding_;
  std::int64_t memory_bytes_;
  const ProgressCallback& progress_;
  QuantizedState& state_;
  std::multimap<int, Reader> readers_;         // by input site
  std::map<std::size_t, bool> rounded_;        // layers that are to be
  std::map<std::size_t, at::Tensor> changed_;  // their weights
  std::map<int, at::Tensor> changes_;          // outputs still to come, by site
  std::int64_t done_ = 0;
};

}  // namespace bitplan::quantize
