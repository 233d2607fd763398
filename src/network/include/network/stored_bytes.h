#pragma once

#include <cstdint>
#include <filesystem>

namespace bitplan::network {

/// What the tensors of a model file take in memory by what the file says of them, without reading them; 0 where it says
/// nothing or is no model file that can be read: loading it says why.
std::int64_t StoredBytes(const std::filesystem::path& file);

}  // namespace bitplan::network
