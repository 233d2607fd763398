#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace bitplan::decode {

/// All bytes of a regular file. Throws Error when there is no such file, it cannot be read, or it is empty.
std::vector<std::uint8_t> ReadFile(const std::filesystem::path& file);

}  // namespace bitplan::decode
