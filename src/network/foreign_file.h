#pragma once

#include <filesystem>

namespace bitplan::network {

/// Throws Error unless `file` is a whole TorchScript archive: the checksum of every entry is verified, which LibTorch
/// does not do, and of other files that people take for models it says what they are and what to do with them.
void RequireTorchScript(const std::filesystem::path& file);

}  // namespace bitplan::network
