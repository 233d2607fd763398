#include "decode/npz.h"

#include <fmt/format.h>

#include <string_view>

#include "bitplan/error.h"
#include "decode/npy.h"
#include "decode/zip.h"

namespace bitplan::decode {

std::vector<NamedArray> DecodeNpz(std::span<const std::uint8_t> bytes, const std::string& file) {
  constexpr std::string_view kEnding = ".npy";
  if (bytes.empty()) throw Error(file + ": is empty; expected NumPy arrays (.npz)");
  const ZipArchive archive(bytes, file);
  if (archive.names().empty()) throw Error(file + ": holds no array");
  std::vector<NamedArray> arrays;
  for (std::size_t i = 0; i < archive.names().size(); ++i) {
    const std::string& entry = archive.names()[i];
    if (!entry.ends_with(kEnding)) {
      throw Error(fmt::format("{}: entry {} is not a NumPy array (its name does not end in .npy)", file, entry));
    }
    const std::string name = entry.substr(0, entry.size() - kEnding.size());
    arrays.push_back({name, DecodeNpy(archive.Read(i), fmt::format("{}: array {}", file, name))});
  }
  return arrays;
}

}  // namespace bitplan::decode
