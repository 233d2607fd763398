#include "bitplan/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string_view>
#include <system_error>
#include <utility>

#include "bitplan/error.h"
#include "files/sha256.h"

namespace bitplan {

namespace {

/// Onto the disk. Returns the error number of what failed, or 0, also of what has no disk: a pipe, a terminal.
int Sync(int descriptor) {
  if (fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP || errno == EROFS) return 0;
  return errno;
}

/// A file that is written to its end or not at all: every call's failure is told, as a disk may find out late that it
/// is full.
class Output {
 public:
  explicit Output(const std::filesystem::path& file)
      : descriptor_(open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) {
    if (descriptor_ < 0) failure_ = errno;
  }
  ~Output() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  void Write(std::string_view text) {
    while (failure_ == 0 && !text.empty()) {
      const ssize_t written = write(descriptor_, text.data(), text.size());
      if (written >= 0)
        text.remove_prefix(static_cast<std::size_t>(written));
      else if (errno != EINTR)
        failure_ = errno;
    }
  }

  /// Onto the disk. Returns the error number of what failed since the beginning, or 0.
  int Finish() {
    if (failure_ != 0) return failure_;
    failure_ = Sync(descriptor_);
    if (close(std::exchange(descriptor_, -1)) != 0 && failure_ == 0) failure_ = errno;
    return failure_;
  }

 private:
  int descriptor_ = -1, failure_ = 0;
};

/// So that a file's new name is there after the machine stopped. A folder that may not be read is left to the system.
/// Returns the error number of what failed, or 0.
int SyncFolder(const std::filesystem::path& folder) {
  const int descriptor = open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return 0;
  const int failure = Sync(descriptor);
  close(descriptor);
  return failure;
}

using Contents = std::function<void(const ByteSink& sink)>;

int Write(const std::filesystem::path& file, const Contents& contents) {
  Output output(file);
  contents([&](std::string_view bytes) { output.Write(bytes); });
  return output.Finish();
}

/// Written beside what it will replace, and gone where that does not come to pass.
class Temporary {
 public:
  /// The process number keeps two runs that write the same file apart.
  explicit Temporary(const std::filesystem::path& file)
      : file_(file), temporary_(fmt::format("{}.{}.partial", file.string(), getpid())) {}
  ~Temporary() {
    std::error_code ignored;
    if (!renamed_) std::filesystem::remove(temporary_, ignored);
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;

  /// Returns the error number of what failed, or 0.
  int Replace(const Contents& contents) {
    if (const int failure = Write(temporary_, contents); failure != 0) return failure;
    std::error_code failure;
    std::filesystem::rename(temporary_, file_, failure);
    renamed_ = !failure;
    return failure ? failure.value() : SyncFolder(file_.parent_path());
  }

 private:
  std::filesystem::path file_, temporary_;
  bool renamed_ = false;
};

}  // namespace

void WriteFile(const std::filesystem::path& file, const std::string& text) {
  WriteFile(file, [&](const ByteSink& sink) { sink(text); });
}

void WriteFile(const std::filesystem::path& file, const Contents& contents) {
  std::error_code status_failure;
  const std::filesystem::file_status status = std::filesystem::status(file, status_failure);
  if (std::filesystem::is_directory(status))
    throw Error(fmt::format("{} is a folder; expected a file name", file.string()));
  const bool replaces = !std::filesystem::exists(status) || std::filesystem::is_regular_file(status);
  const int failure = replaces ? Temporary(file).Replace(contents)
                               : Write(file, contents);  // a terminal, a pipe, /dev/null: renaming would replace it
  if (failure != 0) throw Error(fmt::format("{} cannot be written: {}", file.string(), std::strerror(failure)));
}

std::string FileSha256(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::error_code ignored;
  if (!in || std::filesystem::is_directory(file, ignored))
    throw Error(fmt::format("{}: {}", file.string(),
                            std::filesystem::is_directory(file, ignored) ? "is a folder; expected a file"
                            : std::filesystem::exists(file, ignored)     ? "cannot be read"
                                                                         : "there is no such file"));
  files::Sha256 sha256;
  std::array<char, 1 << 16> block;
  while (in.read(block.data(), block.size()), in.gcount() > 0)
    sha256.Add(block.data(), static_cast<std::size_t>(in.gcount()));
  if (in.bad()) throw Error(fmt::format("{}: cannot be read to its end", file.string()));
  return sha256.Hex();
}

}  // namespace bitplan
