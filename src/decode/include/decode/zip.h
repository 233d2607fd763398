#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

struct zip;         // libzip's zip_t
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

  /// What entry `index` takes once it is read, as the archive's directory states it; 0 where it does not.
  std::uint64_t Size(std::size_t index) const;

  /// The contents of entry `index`.
  std::vector<std::uint8_t> Read(std::size_t index) const;

  /// Reads every entry to its end, at a fixed memory, for its checksum.
  void Verify() const;

 private:
  struct Close {
    void operator()(::zip* archive) const;
  };
  using Consumer = std::function<void(std::span<const std::uint8_t>)>;

  void Open(::zip_source* source, const std::string& failure);
  void Stream(std::size_t index, const Consumer& consume) const;

  std::string file_;
  std::unique_ptr<::zip, Close> archive_;
  std::vector<std::string> names_;
};

}  // namespace bitplan::decode
