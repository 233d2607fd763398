#pragma once

#include <filesystem>
#include <vector>

namespace bitplan::cli {

/// Throws Error unless a file can be made in the folder of `file`: before the work, not after it.
void RequireWritable(const std::filesystem::path& file);

/// A folder for results. One that this made, and in which nothing was kept, goes again with the value.
class OutputFolder {
 public:
  explicit OutputFolder(std::filesystem::path folder);  ///< throws Error when it cannot be made or written to
  ~OutputFolder();
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;

  /// A file in it. A folder that somebody removed meanwhile is made again: results of long work are not lost by that.
  std::filesystem::path operator/(const char* name) const;

 private:
  std::filesystem::path folder_;
  std::vector<std::filesystem::path> made_;  // outermost first
};

}  // namespace bitplan::cli
