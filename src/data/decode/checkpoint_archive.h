#pragma once

#include <filesystem>
#include <string_view>

namespace bitplan::decode {

/// Before a checkpoint is read, which is a zip archive of tensors. Throws Error that begins with the file: where it is no
/// archive, that it is no `kind`; where a checksum says that bytes were overwritten or some are missing, that it is
/// damaged. Both say what to do.
void RequireWholeCheckpoint(const std::filesystem::path& file, std::string_view kind);

}  // namespace bitplan::decode
