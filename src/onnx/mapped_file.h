#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

namespace bitplan::onnx {

/// A regular file's bytes, mapped, not read.
class MappedFile {
 public:
  /// Throws Error, not naming the file: there is none, it is not a regular one, or cannot be read.
  explicit MappedFile(const std::filesystem::path& file);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace bitplan::onnx
