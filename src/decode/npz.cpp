#include "decode/npz.h"

#include <fmt/format.h>

#include <string_view>

#include "bitplan/error.h"
#include "decode/npy.h"
#include "decode/zip.h"

namespace bitplan::decode {

std::vector<PlacedEntry> PlaceNpz(const std::shared_ptr<const ZipArchive>& archive, const std::string& file) {
  constexpr std::string_view kEnding = ".npy";
  if (archive->names().empty()) throw Error(file + ": holds no array");
  for (const std::string& entry : archive->names())
    if (!entry.ends_with(kEnding))
      throw Error(fmt::format("{}: entry {} is not a NumPy array (its name does not end in .npy)", file, entry));
  archive->Verify();
  std::vector<PlacedEntry> arrays;
  for (std::size_t i = 0; i < archive->names().size(); ++i) {
    const std::string& entry = archive->names()[i];
    const std::string name = entry.substr(0, entry.size() - kEnding.size());
    arrays.push_back({name, PlaceNpy(std::make_shared<ZipEntry>(archive, i), fmt::format("{}: array {}", file, name))});
  }
  return arrays;
}

std::vector<NamedArray> DecodeNpz(std::span<const std::uint8_t> bytes, const std::string& file) {
  if (bytes.empty()) throw Error(file + ": is empty; expected NumPy arrays (.npz)");
  std::vector<NamedArray> arrays;
  for (const PlacedEntry& entry : PlaceNpz(std::make_shared<ZipArchive>(bytes, file), file))
    arrays.push_back({entry.name, ReadWhole(entry.array)});
  return arrays;
}

}  // namespace bitplan::decode
