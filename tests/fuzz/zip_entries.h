#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace bitplan::fuzz {

using Bytes = std::vector<std::uint8_t>;

struct ZipEntry {
  std::string name;
  Bytes bytes;
};

/// The entries of an archive whose entries are stored; none where it is no such archive.
std::vector<ZipEntry> UnpackStored(std::span<const std::uint8_t> archive);

/// The archive of such entries, with checksums that fit.
Bytes PackStored(const std::vector<ZipEntry>& entries);

}  // namespace bitplan::fuzz
