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

/// The entries of an archive; none where it is none.
std::vector<ZipEntry> Unpack(std::span<const std::uint8_t> archive);

/// The archive of such entries, stored, with checksums that fit.
Bytes Pack(const std::vector<ZipEntry>& entries);

}  // namespace bitplan::fuzz
