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
    const bool is_on_disk = fsync(descriptor_) == 0;  // of a pipe or a terminal there is no such thing
    if (!is_on_disk && errno != EINVAL && errno != ENOTSUP && errno != EROFS) failure_ = errno;
    if (close(std::exchange(descriptor_, -1)) != 0 && failure_ == 0) failure_ = errno;
    return failure_;
  }

 private:
  int descriptor_ = -1, failure_ = 0;
};

int Write(const std::filesystem::path& file, const std::string& text) {
  Output output(file);
  output.Write(text);
  return output.Finish();
}

}  // namespace

void WriteFile(const std::filesystem::path& file, const std::string& text) {
  std::error_code status_failure;
  const std::filesystem::file_status status = std::filesystem::status(file, status_failure);
  if (std::filesystem::is_directory(status))
    throw Error(fmt::format("{} is a folder; expected a file name", file.string()));
  int failure = 0;
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    failure = Write(file, text);  // a terminal, a pipe, /dev/null: renaming over it would replace it
  } else {
    // The process number keeps two runs that write the same file apart.
    const std::filesystem::path temporary = fmt::format("{}.{}.partial", file.string(), getpid());
    failure = Write(temporary, text);
    std::error_code rename_failure, ignored;
    if (failure == 0) std::filesystem::rename(temporary, file, rename_failure);
    if (rename_failure) failure = rename_failure.value();
    if (failure != 0) std::filesystem::remove(temporary, ignored);
  }
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
  Sha256 sha256;
  std::array<char, 1 << 16> block;
  while (in.read(block.data(), block.size()), in.gcount() > 0)
    sha256.Add(block.data(), static_cast<std::size_t>(in.gcount()));
  if (in.bad()) throw Error(fmt::format("{}: cannot be read to its end", file.string()));
  return sha256.Hex();
}

}  // namespace bitplan
