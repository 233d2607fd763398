#include "data/decode/checkpoint_archive.h"

#include <fmt/format.h>

#include <array>
#include <fstream>

#include "bitplan/error.h"
#include "data/decode/zip.h"

namespace bitplan::decode {

void RequireWholeCheckpoint(const std::filesystem::path& file, std::string_view kind) {
  std::array<char, 2> begin{};
  std::ifstream(file, std::ios::binary).read(begin.data(), begin.size());
  if (begin != std::array{'P', 'K'})
    throw Error(fmt::format("{}: is no checkpoint of {}; remove it or name another file", file.string(), kind));
  try {
    ZipArchive(file).Verify();
  } catch (const Error& error) {
    throw Error(fmt::format("{}; it is a damaged checkpoint, remove it to start anew", error.what()));
  }
}

}  // namespace bitplan::decode
