#pragma once

#include <filesystem>
#include <string>

namespace bitplan {

/// Writes `text` to a temporary file in the folder of `file` and renames it, so that nothing is ever half written; what
/// is no regular file (a pipe, a terminal) is written to directly. Throws Error when it cannot be written.
void WriteFile(const std::filesystem::path& file, const std::string& text);

/// Lower-case hexadecimal SHA-256 of a file's bytes. Throws Error when it cannot be read.
std::string FileSha256(const std::filesystem::path& file);

}  // namespace bitplan
