#pragma once

#include <filesystem>
#include <functional>

namespace bitplan::exporters {

/// Lets `write` fill a new folder beside `folder` and gives it that name, so that the folder is whole or not there.
/// Throws Error when `folder` is there and is no empty folder, or cannot be made; what `write` throws reaches the
/// caller.
void WriteWholeFolder(const std::filesystem::path& folder,
                      const std::function<void(const std::filesystem::path& folder)>& write);

}  // namespace bitplan::exporters
