#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace bitplan {

/// Writes `text` to a temporary file in the folder of `file` and renames it, so that nothing is ever half written: the
/// file is on the disk before it gets its name, and the name before the call returns. What
/// is no regular file (a pipe, a terminal) is written to directly. Throws Error when it cannot be written.
void WriteFile(const std::filesystem::path& file, const std::string& text);

/// Takes the next bytes of a file.
using ByteSink = std::function<void(std::string_view bytes)>;

/// The same of contents that come piece by piece, so that they need not be in memory at once. What `contents` throws
/// reaches the caller, and what stood in `file` is left as it was.
void WriteFile(const std::filesystem::path& file, const std::function<void(const ByteSink& sink)>& contents);

/// Lower-case hexadecimal SHA-256 of a file's bytes. Throws Error when it cannot be read.
std::string FileSha256(const std::filesystem::path& file);

}  // namespace bitplan
