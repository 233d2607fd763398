#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace bitplan::decode {

/// The bytes of a file, or of one entry of an archive, read where they are asked for. May be read by several threads at
/// a time.
class ByteSource {
 public:
  virtual ~ByteSource() = default;

  virtual std::uint64_t size() const = 0;

  /// Fills `bytes` with those from `at` on. Throws Error naming the file: there are fewer, they cannot be read, or the
  /// file was changed since it was opened.
  virtual void Read(std::uint64_t at, std::span<std::uint8_t> bytes) const = 0;

  /// Whether any place is read as quickly as the next one; not where what comes before is inflated for it.
  virtual bool anywhere() const { return true; }
};

/// Bytes in memory, which must outlive it. `name` is named in messages.
class MemoryBytes : public ByteSource {
 public:
  MemoryBytes(std::span<const std::uint8_t> bytes, std::string name) : bytes_(bytes), name_(std::move(name)) {}

  std::uint64_t size() const override { return bytes_.size(); }
  void Read(std::uint64_t at, std::span<std::uint8_t> bytes) const override;

 private:
  std::span<const std::uint8_t> bytes_;
  std::string name_;
};

/// A regular file as it was when it was opened, told by its size and the time of its last change.
class FileState {
 public:
  /// Throws Error when there is no such file, it cannot be read, or it is empty.
  explicit FileState(std::filesystem::path file);

  std::uint64_t size() const { return size_; }
  const std::filesystem::path& file() const { return file_; }

  /// Throws Error when the file is another one by now.
  void CheckUnchanged() const;

 private:
  std::filesystem::path file_;
  std::uint64_t size_ = 0;
  std::filesystem::file_time_type changed_;
};

/// A regular file. Throws Error as FileState does.
class FileBytes : public ByteSource {
 public:
  explicit FileBytes(const std::filesystem::path& file);
  ~FileBytes() override;
  FileBytes(const FileBytes&) = delete;
  FileBytes& operator=(const FileBytes&) = delete;

  std::uint64_t size() const override { return state_.size(); }
  void Read(std::uint64_t at, std::span<std::uint8_t> bytes) const override;

 private:
  FileState state_;
  int descriptor_ = -1;
};

}  // namespace bitplan::decode
