#include "decode/byte_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "bitplan/error.h"
#include "decode/array.h"

namespace bitplan::decode {

namespace {

[[noreturn]] void FailCutOff(const std::string& name, std::uint64_t at, std::uint64_t size) {
  throw Error(fmt::format("{}: reading stopped after {} of {} bytes", name, Grouped(at), Grouped(size)));
}

}  // namespace

void MemoryBytes::Read(std::uint64_t at, std::span<std::uint8_t> bytes) const {
  if (at > bytes_.size() || bytes.size() > bytes_.size() - at) FailCutOff(name_, bytes_.size(), at + bytes.size());
  std::ranges::copy(bytes_.subspan(at, bytes.size()), bytes.begin());
}

FileState::FileState(std::filesystem::path file) : file_(std::move(file)) {
  const std::string name = file_.string();
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(file_, error);
  if (status.type() == std::filesystem::file_type::not_found) throw Error(name + ": there is no such file");
  if (error) throw Error(fmt::format("{}: cannot be read: {}", name, error.message()));
  if (!std::filesystem::is_regular_file(status)) throw Error(name + ": is not a regular file");
  size_ = std::filesystem::file_size(file_, error);
  if (!error) changed_ = std::filesystem::last_write_time(file_, error);
  if (error) throw Error(fmt::format("{}: cannot be read: {}", name, error.message()));
  if (size_ == 0) throw Error(name + ": is empty");
}

void FileState::CheckUnchanged() const {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(file_, error);
  if (error) throw Error(fmt::format("{}: cannot be read any more: {}", file_.string(), error.message()));
  if (size != size_)
    throw Error(fmt::format("{}: was changed while it was read: it had {} bytes, and has {}", file_.string(),
                            Grouped(size_), Grouped(size)));
  if (std::filesystem::last_write_time(file_, error) != changed_ || error)
    throw Error(fmt::format("{}: was changed while it was read", file_.string()));
}

FileBytes::FileBytes(const std::filesystem::path& file) : state_(file) {
  descriptor_ = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0)
    throw Error(fmt::format("{}: cannot be read: {}", file.string(), std::generic_category().message(errno)));
}

FileBytes::~FileBytes() { ::close(descriptor_); }

void FileBytes::Read(std::uint64_t at, std::span<std::uint8_t> bytes) const {
  state_.CheckUnchanged();
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t read = ::pread(descriptor_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(at + done));
    if (read < 0 && errno == EINTR) continue;
    if (read < 0)
      throw Error(
          fmt::format("{}: cannot be read: {}", state_.file().string(), std::generic_category().message(errno)));
    if (read == 0) FailCutOff(state_.file().string(), at + done, at + bytes.size());
    done += static_cast<std::size_t>(read);
  }
}

}  // namespace bitplan::decode
