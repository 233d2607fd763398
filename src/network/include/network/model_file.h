#pragma once

#include <map>
#include <string>

#include "network/lowered_graph.h"

namespace bitplan::network {

/// The network as a TorchScript file that Network::Load, plain PyTorch and LibTorch read: its graph as it was lowered,
/// its parameters under their dotted names: those that are trainable as parameters of the module, the others as
/// buffers. Where there are `bounds` for a site, what is read there is clamped to ± these, broadcast. Throws Error when
/// the graph cannot be written.
std::string ModelFile(const LoweredGraph& network, const std::map<int, at::Tensor>& bounds = {});

}  // namespace bitplan::network
