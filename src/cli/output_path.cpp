#include "output_path.h"

#include <fmt/format.h>
#include <unistd.h>

#include "bitplan/error.h"

namespace bitplan::cli {

namespace fs = std::filesystem;

void RequireWritable(const fs::path& file) {
  if (fs::is_directory(file)) throw Error(fmt::format("{} is a folder; name a file", file.string()));
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  if (!fs::is_directory(folder)) throw Error(fmt::format("{}: there is no folder {}", file.string(), folder.string()));
  if (access(folder.c_str(), W_OK | X_OK) != 0)
    throw Error(fmt::format("{}: the folder cannot be written to", folder.string()));
}

OutputFolder::OutputFolder(fs::path folder) : folder_(std::move(folder)) {
  std::error_code failure;
  for (fs::path missing = fs::absolute(folder_).lexically_normal(); !fs::exists(missing, failure);
       missing = missing.parent_path())
    if (missing.has_filename()) made_.insert(made_.begin(), missing);
  fs::create_directories(folder_, failure);
  if (failure || !fs::is_directory(folder_))
    throw Error(fmt::format("output folder {} cannot be made: {}", folder_.string(),
                            failure ? failure.message() : "a file is in the way"));
  RequireWritable(folder_ / "plan.json");
}

fs::path OutputFolder::operator/(const char* name) const {
  std::error_code ignored;  // whoever writes there says what is wrong
  fs::create_directories(folder_, ignored);
  return folder_ / name;
}

OutputFolder::~OutputFolder() {
  std::error_code ignored;  // a folder that holds results is not empty, and stays
  for (auto folder = made_.rbegin(); folder != made_.rend(); ++folder) fs::remove(*folder, ignored);
}

}  // namespace bitplan::cli
