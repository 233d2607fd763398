#include "network/stored_bytes.h"

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>

#include "bitplan/error.h"
#include "decode/zip.h"

namespace bitplan::network {

namespace {

/// NAME/data/0, NAME/constants/0: all that is loaded beside code.
bool IsTensor(std::string_view name) {
  return name.find("/data/") != std::string_view::npos || name.find("/constants/") != std::string_view::npos;
}

}  // namespace

std::int64_t StoredBytes(const std::filesystem::path& file) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max() / 2;  // a damaged directory may say anything
  std::uint64_t bytes = 0;
  try {
    const decode::ZipArchive archive(file);
    const auto is_of_torchscript = [](const std::string& name) { return name.ends_with("/constants.pkl"); };
    if (std::none_of(archive.names().begin(), archive.names().end(), is_of_torchscript)) return 0;
    for (std::size_t i = 0; i < archive.names().size(); ++i)
      if (IsTensor(archive.names()[i])) bytes = std::min(kMost, bytes + std::min(kMost, archive.Size(i)));
  } catch (const Error&) {
    return 0;
  }
  return static_cast<std::int64_t>(bytes);
}

}  // namespace bitplan::network
