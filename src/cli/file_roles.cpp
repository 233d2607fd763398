#include "file_roles.h"

#include <fmt/format.h>

#include <system_error>

#include "bitplan/error.h"
#include "command_line.h"

namespace bitplan::cli {

namespace fs = std::filesystem;

namespace {

/// Devices and pipes are no files that anything could be lost of; folders, that exporters read and write, are.
bool IsSpecial(const fs::path& path) {
  std::error_code ignored;
  const fs::file_status status = fs::status(path, ignored);
  return fs::exists(status) && !fs::is_regular_file(status) && !fs::is_directory(status);
}

bool AreOneFile(const fs::path& a, const fs::path& b) {
  if (IsSpecial(a) || IsSpecial(b)) return false;
  std::error_code failure;
  if (fs::exists(a, failure) || fs::exists(b, failure)) return fs::equivalent(a, b, failure) && !failure;
  const auto whole = [&](const fs::path& path) { return fs::weakly_canonical(fs::absolute(path, failure), failure); };
  return whole(a) == whole(b) && !failure;
}

void Append(std::vector<NamedFile>& files, const std::vector<NamedFile>& more) {
  files.insert(files.end(), more.begin(), more.end());
}

}  // namespace

MoreFiles FilesIn(const fs::path& folder, const std::vector<const char*>& names) {
  MoreFiles files;
  for (const char* const name : names) files.written.push_back({fmt::format("--out-dir's {}", name), folder / name});
  return files;
}

void RefuseOverwriting(const CommandLine& line, const MoreFiles& more) {
  std::vector<NamedFile> read = line.Files(FileUse::Read), written = line.Files(FileUse::Written);
  Append(read, more.read);
  Append(written, more.written);
  for (std::size_t i = 0; i < written.size(); ++i) {
    for (const NamedFile& input : read)
      if (AreOneFile(written[i].path, input.path))
        throw Error(fmt::format("{} would overwrite {}: {} and {} are one file; name another one", written[i].name,
                                input.name, written[i].path.string(), input.path.string()));
    for (std::size_t k = 0; k < i; ++k)
      if (AreOneFile(written[i].path, written[k].path))
        throw Error(fmt::format("{} would overwrite {}: {} and {} are one file; name two", written[i].name,
                                written[k].name, written[i].path.string(), written[k].path.string()));
  }
}

}  // namespace bitplan::cli
