#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "decode/byte_source.h"

struct zip;         // libzip's zip_t
struct zip_file;    // zip_file_t
struct zip_source;  // and zip_source_t

namespace bitplan::decode {

/// A zip archive, its entries stored or deflated. Throws Error naming file and entry: not a zip archive, damaged (each
/// entry's checksum is verified), encrypted.
class ZipArchive {
 public:
  /// In memory: `bytes` must outlive the archive; `file` is named in messages.
  ZipArchive(std::span<const std::uint8_t> bytes, std::string file);

  /// Of a file, which is read as entries are asked for.
  explicit ZipArchive(const std::filesystem::path& file);

  /// Names in file order.
  const std::vector<std::string>& names() const { return names_; }

  std::uint64_t file_bytes() const { return file_bytes_; }

  /// Whether entry `index` is stored as it is, not deflated.
  bool IsStored(std::size_t index) const;

  /// What entry `index` takes once it is read, as the archive's directory states it; 0 where it does not.
  std::uint64_t Size(std::size_t index) const;

  /// The contents of entry `index`.
  std::vector<std::uint8_t> Read(std::size_t index) const;

  /// Reads every entry to its end, at a fixed memory, for its checksum.
  void Verify() const;

 private:
  friend class ZipEntry;
  struct Close {
    void operator()(::zip* archive) const;
  };
  struct CloseEntry {
    void operator()(::zip_file* entry) const;
  };
  using Entry = std::unique_ptr<::zip_file, CloseEntry>;
  using Consumer = std::function<void(std::span<const std::uint8_t>)>;

  void Open(::zip_source* source, const std::string& failure);
  void CheckApart() const;  ///< entries that share bytes would unfold without end
  Entry OpenEntry(std::size_t index) const;
  std::string EntryName(std::size_t index) const;  ///< for messages
  void Stream(std::size_t index, const Consumer& consume) const;

  std::string file_;
  std::optional<FileState> state_;  // of one that is not in memory
  std::uint64_t file_bytes_;
  mutable std::mutex mutex_;  // libzip's archive and its entries are for one thread at a time
  std::unique_ptr<::zip, Close> archive_;
  std::vector<std::string> names_;
};

/// The contents of an entry. Of one that is deflated, what comes before is inflated anew where an earlier place is
/// read.
class ZipEntry : public ByteSource {
 public:
  ZipEntry(std::shared_ptr<const ZipArchive> archive, std::size_t index);
  ~ZipEntry() override;

  std::uint64_t size() const override { return archive_->Size(index_); }
  void Read(std::uint64_t at, std::span<std::uint8_t> bytes) const override;
  bool anywhere() const override { return archive_->IsStored(index_); }

 private:
  void GoTo(std::uint64_t at) const;
  void ReadOn(std::span<std::uint8_t> bytes) const;

  std::shared_ptr<const ZipArchive> archive_;
  std::size_t index_;
  mutable ZipArchive::Entry entry_;  // open, at position_
  mutable std::uint64_t position_ = 0;
};

}  // namespace bitplan::decode
