#include "zip_entries.h"

#include <zlib.h>

#include <algorithm>
#include <string_view>

namespace bitplan::fuzz {

namespace {

constexpr std::uint32_t kLocal = 0x04034b50, kDirectory = 0x02014b50, kEnd = 0x06054b50;

void Put(Bytes& to, std::uint64_t number, int bytes) {
  for (int i = 0; i < bytes; ++i) to.push_back(static_cast<std::uint8_t>(number >> (8 * i)));
}

std::size_t Take(std::span<const std::uint8_t> from, std::size_t at, int bytes) {
  std::size_t number = 0;
  for (int i = bytes; i-- > 0;) number = number << 8 | from[at + static_cast<std::size_t>(i)];
  return number;
}

void PutName(Bytes& to, const std::string& name) { to.insert(to.end(), name.begin(), name.end()); }

/// What a local header and one of the directory have alike: flags to the length of the name.
void PutDescription(Bytes& to, const ZipEntry& entry) {
  Put(to, 20, 2);
  Put(to, 0, 8);  // no flags, stored, of no time
  Put(to, crc32(0, entry.bytes.data(), static_cast<unsigned>(entry.bytes.size())), 4);
  Put(to, entry.bytes.size(), 4);
  Put(to, entry.bytes.size(), 4);
  Put(to, entry.name.size(), 2);
  Put(to, 0, 2);
}

}  // namespace

std::vector<ZipEntry> UnpackStored(std::span<const std::uint8_t> archive) {
  std::vector<ZipEntry> entries;
  constexpr std::size_t kEndSize = 22, kDirectorySize = 46, kLocalSize = 30;
  if (archive.size() < kEndSize || Take(archive, archive.size() - kEndSize, 4) != kEnd) return {};
  std::size_t at = Take(archive, archive.size() - 6, 4);
  while (at + kDirectorySize <= archive.size() && Take(archive, at, 4) == kDirectory) {
    const std::size_t size = Take(archive, at + 20, 4), name = Take(archive, at + 28, 2),
                      local = Take(archive, at + 42, 4);
    if (at + kDirectorySize + name > archive.size() || local + kLocalSize > archive.size()) return {};
    const std::size_t begin = local + kLocalSize + Take(archive, local + 26, 2) + Take(archive, local + 28, 2);
    if (begin + size > archive.size()) return {};
    const auto letters = archive.subspan(at + kDirectorySize, name), bytes = archive.subspan(begin, size);
    entries.push_back({{letters.begin(), letters.end()}, {bytes.begin(), bytes.end()}});
    at += kDirectorySize + name + Take(archive, at + 30, 2) + Take(archive, at + 32, 2);
  }
  return entries;
}

Bytes PackStored(const std::vector<ZipEntry>& entries) {
  Bytes archive, directory;
  for (const ZipEntry& entry : entries) {
    Put(directory, kDirectory, 4);
    Put(directory, 20, 2);
    PutDescription(directory, entry);
    Put(directory, 0, 10);  // no comment, attributes
    Put(directory, archive.size(), 4);
    PutName(directory, entry.name);
    Put(archive, kLocal, 4);
    PutDescription(archive, entry);
    PutName(archive, entry.name);
    archive.insert(archive.end(), entry.bytes.begin(), entry.bytes.end());
  }
  const std::size_t begin = archive.size();
  archive.insert(archive.end(), directory.begin(), directory.end());
  Put(archive, kEnd, 4);
  Put(archive, 0, 4);
  Put(archive, entries.size(), 2);
  Put(archive, entries.size(), 2);
  Put(archive, directory.size(), 4);
  Put(archive, begin, 4);
  Put(archive, 0, 2);
  return archive;
}

}  // namespace bitplan::fuzz
