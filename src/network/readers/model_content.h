#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "decode/zip.h"

namespace bitplan::network {

/// What a file begins with and, of a zip archive, which entries it has: what tells a format. Nothing goes by the file's
/// name.
class ModelContent {
 public:
  /// Throws Error naming the file where it begins like a zip archive and cannot be opened as one.
  explicit ModelContent(std::filesystem::path file);

  const std::filesystem::path& file() const { return file_; }

  /// The first 64 bytes, fewer of a shorter file.
  const std::string& head() const { return head_; }

  /// Whether these bytes stand so far from the begin, within the head.
  bool HasBytes(std::size_t at, std::string_view bytes) const;

  /// Null where the file is no zip archive.
  const decode::ZipArchive* archive() const { return archive_ ? &*archive_ : nullptr; }

  /// Index of the archive's first entry of this name, "constants.pkl", at the top or in a folder; nothing where there
  /// is none, or no archive.
  std::optional<std::size_t> Find(std::string_view entry) const;
  bool Has(std::string_view entry) const { return Find(entry).has_value(); }

 private:
  std::filesystem::path file_;
  std::string head_;
  std::optional<decode::ZipArchive> archive_;
};

}  // namespace bitplan::network
