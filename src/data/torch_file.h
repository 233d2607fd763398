#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace bitplan::data {

struct NamedTensor {
  std::string name;  ///< the key of a dict; empty for a tensor, list or tuple
  at::Tensor tensor;
};

/// The tensors of a file by torch.save that holds a tensor, a list or tuple of tensors, or a plain dict of them by
/// name, in file order, on the CPU. `file` is named in messages. Throws Error: damaged (checksums are verified), not by
/// torch.save or of its form before PyTorch 1.6, a TorchScript model, anything but such tensors within.
std::vector<NamedTensor> DecodeTorchFile(const std::vector<std::uint8_t>& bytes, const std::string& file);

}  // namespace bitplan::data
