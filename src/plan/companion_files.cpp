#include "plan/companion_files.h"

#include <fmt/format.h>

namespace bitplan::plan {

std::vector<std::filesystem::path> CompanionFiles(const std::filesystem::path& json) {
  const std::string stem = std::filesystem::path(json).replace_extension().string();
  std::vector<std::filesystem::path> files;
  for (const char* const array : {"contributions", "logits", "shifts", "matrix"})
    files.emplace_back(fmt::format("{}.{}.npy", stem, array));
  return files;
}

}  // namespace bitplan::plan
