#pragma once

#include <cstdint>
#include <filesystem>

namespace bitplan::network {

/// What the tensors of a TorchScript file take in memory by what its archive's directory says, without reading them; 0
/// where there is no such archive that can be opened: loading it says why.
std::int64_t StoredBytes(const std::filesystem::path& file);

}  // namespace bitplan::network
