#pragma once

#include <cstdint>
#include <string>

#include "bitplan/network.h"

namespace bitplan::training_methods {

struct WidenOptions {
  std::int64_t factor = 2;  ///< copies of every hidden channel, ≥ 2
  double spread =
      0.1;  ///< how unevenly copies share what is read of them, in [0, 1): evenly, all copies would learn the same
  std::uint64_t seed = 0;  ///< of the shares

  void Validate() const;  ///< throws Error
};

/// The network with every hidden channel `factor` times, and the same output: wider networks stand fewer bits (Mishra
/// et al., "WRPN: Wide Reduced-Precision Networks", ICLR 2018). The copies of a channel lie side by side; convolutions
/// and linear layers that read them have their weights shared out among the copies. The channels that make the
/// network's output, and those of its inputs, stay as they are.
///
/// A TorchScript model file: shapes are other ones, so that it is loaded as any model is. Layers keep their names, and
/// what was trainable is. Throws Error naming operator and layer where something else than convolutions, linear layers
/// and what treats all channels alike reads hidden channels, where a layer is used several times, and where hidden
/// channels meet others that stay as they are.
std::string WidenedModelFile(const Network& network, const WidenOptions& options = {});

}  // namespace bitplan::training_methods
