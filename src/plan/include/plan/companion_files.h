#pragma once

#include <filesystem>
#include <vector>

namespace bitplan::plan {

/// The .npy files that may lie beside a sensitivity or problem file: for s.json s.shifts.npy and others.
std::vector<std::filesystem::path> CompanionFiles(const std::filesystem::path& json);

}  // namespace bitplan::plan
