#include "zip_entries.h"

#include <zlib.h>

#include "bitplan/error.h"
#include "decode/zip.h"

namespace bitplan::fuzz {

namespace {

constexpr std::uint32_t kLocal = 0x04034b50, kDirectory = 0x02014b50, kEnd = 0x06054b50;

void Put(Bytes& to, std::uint64_t number, int bytes) {
  for (int i = 0; i < bytes; ++i) to.push_back(static_cast<std::uint8_t>(number >> (8 * i)));
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

std::vector<ZipEntry> Unpack(std::span<const std::uint8_t> archive) {
  try {
    const decode::ZipArchive zip(archive, "archive");
    std::vector<ZipEntry> entries;
    for (std::size_t i = 0; i < zip.names().size(); ++i) entries.push_back({zip.names()[i], zip.Read(i)});
    return entries;
  } catch (const Error&) {
    return {};
  }
}

Bytes Pack(const std::vector<ZipEntry>& entries) {
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
