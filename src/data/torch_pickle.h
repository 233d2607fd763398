#pragma once

#include <ATen/core/ivalue.h>

#include <cstddef>
#include <memory>
#include <optional>

#include "decode/zip.h"

namespace bitplan::data {

/// What an archive by torch.save holds. Its dense tensors are without elements: RecordOf tells where these are. Throws
/// an exception of LibTorch's where it holds what LibTorch does not unpickle.
c10::IValue UnpickleWithoutElements(const decode::ZipArchive& archive, std::size_t pickle_entry);

/// The number of the archive's entry with the elements of a tensor's storage; nothing where they are in memory.
std::optional<std::size_t> RecordOf(const at::Tensor& tensor);

}  // namespace bitplan::data
