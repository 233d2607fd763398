#include "decode/file.h"

#include <fmt/format.h>

#include <cerrno>
#include <fstream>
#include <system_error>

#include "bitplan/error.h"
#include "decode/array.h"

namespace bitplan::decode {

std::vector<std::uint8_t> ReadFile(const std::filesystem::path& file) {
  const std::string name = file.string();
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(file, error);
  if (status.type() == std::filesystem::file_type::not_found) throw Error(name + ": there is no such file");
  if (error) throw Error(fmt::format("{}: cannot be read: {}", name, error.message()));
  if (!std::filesystem::is_regular_file(status)) throw Error(name + ": is not a regular file");
  const std::uintmax_t size = std::filesystem::file_size(file, error);
  if (error) throw Error(fmt::format("{}: cannot be read: {}", name, error.message()));
  if (size == 0) throw Error(name + ": is empty");

  errno = 0;
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw Error(fmt::format("{}: cannot be read: {}", name, std::generic_category().message(errno)));
  std::vector<std::uint8_t> bytes(size);
  stream.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size));
  if (static_cast<std::uintmax_t>(stream.gcount()) != size) {
    throw Error(fmt::format("{}: reading stopped after {} of {} bytes", name,
                            Grouped(static_cast<std::uint64_t>(stream.gcount())), Grouped(size)));
  }
  return bytes;
}

}  // namespace bitplan::decode
