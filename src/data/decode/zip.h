#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

struct zip;  // libzip's zip_t

namespace bitplan::decode {

/// A zip archive in memory, its entries stored or deflated. Throws Error naming file and entry: not a zip archive,
/// damaged (each entry's checksum is verified), encrypted.
class ZipArchive {
 public:
  /// `bytes` must outlive the archive; `file` is named in messages.
  ZipArchive(std::span<const std::uint8_t> bytes, std::string file);

  /// Names in file order.
  const std::vector<std::string>& names() const { return names_; }

  /// The contents of entry `index`.
  std::vector<std::uint8_t> Read(std::size_t index) const;

 private:
  struct Close {
    void operator()(::zip* archive) const;
  };
  std::string file_;
  std::unique_ptr<::zip, Close> archive_;
  std::vector<std::string> names_;
};

}  // namespace bitplan::decode
