#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace bitplan::network {

/// The tensors of a dict, or OrderedDict, that torch.save wrote, by their keys, in its order; on the CPU, without
/// history. Whatever else it holds is left out. Throws Error: no such file, or objects in it that are no tensors,
/// numbers, texts and lists of these.
std::vector<std::pair<std::string, at::Tensor>> ReadPickledTensors(std::span<const std::uint8_t> bytes);

}  // namespace bitplan::network
