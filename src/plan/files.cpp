#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <fstream>
#include <memory>

#include "bitplan/error.h"
#include "bitplan/plan.h"

namespace bitplan {

void WriteFile(const std::filesystem::path& file, const std::string& text) {
  const std::filesystem::path temporary = file.string() + ".partial";
  std::error_code failure;
  {
    std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
    out << text;
    out.close();
    if (!out) failure = std::make_error_code(std::errc::permission_denied);
  }
  if (!failure) std::filesystem::rename(temporary, file, failure);
  if (!failure) return;
  std::error_code ignored;
  std::filesystem::remove(temporary, ignored);
  throw Error(fmt::format("{} cannot be written; is the folder there, writable and not full?", file.string()));
}

std::string FileSha256(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in || std::filesystem::is_directory(file))
    throw Error(fmt::format("{}: {}", file.string(), std::filesystem::exists(file) ? "cannot be read" : "there is no such file"));
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
  std::array<char, 1 << 16> block;
  while (in.read(block.data(), block.size()), in.gcount() > 0)
    EVP_DigestUpdate(context.get(), block.data(), static_cast<std::size_t>(in.gcount()));
  if (in.bad()) throw Error(fmt::format("{}: cannot be read to its end", file.string()));
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  EVP_DigestFinal_ex(context.get(), digest.data(), &size);
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

}  // namespace bitplan
