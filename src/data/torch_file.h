#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "stored_tensor.h"

namespace bitplan::data {

struct NamedTensor {
  std::string name;  ///< the key of a dict; empty for a tensor, list or tuple
  at::Tensor tensor;
};

/// The same, its elements left in the file where they stand sample by sample.
struct NamedStoredTensor {
  std::string name;
  StoredTensor tensor;
};

/// The tensors of a file by torch.save that holds a tensor, a list or tuple of tensors, or a plain dict of them by
/// name, in file order, on the CPU. `file` is named in messages. `memory_bytes`: what those that cannot be left in the
/// file may take, 0 without a limit. Throws Error: damaged (checksums are verified), not by torch.save or of its form
/// before PyTorch 1.6, a TorchScript model, anything but such tensors within.
std::vector<NamedStoredTensor> PlaceTorchFile(const std::filesystem::path& file, std::int64_t memory_bytes);

/// The same of bytes in memory, read.
std::vector<NamedTensor> DecodeTorchFile(const std::vector<std::uint8_t>& bytes, const std::string& file);

}  // namespace bitplan::data
