#pragma once

#include <filesystem>
#include <optional>

namespace bitplan::process {

/// Processors that the control groups of this process grant it, 1.5 for 150 ms in every 100 ms; nothing where they set
/// no quota. `root` holds proc/self/cgroup and sys/fs/cgroup.
std::optional<double> GroupQuota(const std::filesystem::path& root = "/");

/// UsableProcessors() with the files of another root.
int UsableProcessorsUnder(const std::filesystem::path& root);

}  // namespace bitplan::process
