#include "whole_folder.h"

#include <fmt/format.h>
#include <unistd.h>

#include <system_error>

#include "bitplan/error.h"

namespace bitplan::exporters {

namespace fs = std::filesystem;

namespace {

/// Without a slash at its end, behind which there would be no name.
fs::path Named(const fs::path& folder) { return folder.has_filename() ? folder : folder.parent_path(); }

/// Gone where it does not get its name.
class Temporary {
 public:
  explicit Temporary(const fs::path& folder) : path_(fmt::format("{}.{}.partial", folder.string(), getpid())) {}
  ~Temporary() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;

  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

}  // namespace

void WriteWholeFolder(const fs::path& folder, const std::function<void(const fs::path& folder)>& write) {
  const fs::path named = Named(folder);
  std::error_code failure;
  if (fs::exists(named, failure) && !(fs::is_directory(named, failure) && fs::is_empty(named, failure)))
    throw Error(fmt::format("{} is there already; name a folder that is not, or is empty", named.string()));
  const Temporary temporary(named);
  fs::remove_all(temporary.path(), failure);
  if (!fs::create_directory(temporary.path(), failure) || failure)
    throw Error(fmt::format("{} cannot be made: {}", named.string(), failure.message()));
  write(temporary.path());
  fs::rename(temporary.path(), named, failure);
  if (failure) throw Error(fmt::format("{} cannot be made: {}", named.string(), failure.message()));
}

}  // namespace bitplan::exporters
