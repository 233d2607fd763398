#include "mapped_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "bitplan/error.h"

namespace bitplan::onnx {
namespace {

class OpenFile {
 public:
  // Not blocking, since opening a pipe would wait for its writer.
  explicit OpenFile(const std::filesystem::path& file)
      : number_(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  ~OpenFile() {
    if (number_ >= 0) close(number_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  int number() const { return number_; }

 private:
  int number_;
};

[[noreturn]] void ThrowSystemError(const char* what) {
  throw Error(fmt::format("{}: {}", what, std::generic_category().message(errno)));
}

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& file) {
  const OpenFile descriptor(file);
  if (descriptor.number() < 0) ThrowSystemError("cannot be opened");
  struct stat status{};
  if (fstat(descriptor.number(), &status) != 0) ThrowSystemError("cannot be read");
  if (!S_ISREG(status.st_mode)) throw Error("not a regular file");
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size == 0) return;  // nothing can be mapped
  void* begin = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor.number(), 0);
  if (begin == MAP_FAILED) ThrowSystemError("cannot be mapped");
  bytes_ = {static_cast<const std::byte*>(begin), size};
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

}  // namespace bitplan::onnx
