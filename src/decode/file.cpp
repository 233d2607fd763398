#include "decode/file.h"

#include "decode/byte_source.h"

namespace bitplan::decode {

std::vector<std::uint8_t> ReadFile(const std::filesystem::path& file) {
  const FileBytes source(file);
  std::vector<std::uint8_t> bytes(source.size());
  source.Read(0, bytes);
  return bytes;
}

}  // namespace bitplan::decode
