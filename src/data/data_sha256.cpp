#include "data/data_sha256.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/sha.h>

#include <array>

#include "bitplan/files.h"

namespace bitplan::data {

std::string DataSha256(const Spec& spec) {
  const std::string file = FileSha256(spec.file);
  if (!spec.labels) return file;
  const std::string both = file + FileSha256(*spec.labels);
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(both.data()), both.size(), digest.data());
  return fmt::format("{:02x}", fmt::join(digest, ""));
}

}  // namespace bitplan::data
