#include "bitplan/files.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <memory>
#include <system_error>

#include "bitplan/error.h"

namespace bitplan {

namespace {

bool Write(const std::filesystem::path& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  return !out.fail();
}

}  // namespace

void WriteFile(const std::filesystem::path& file, const std::string& text) {
  std::error_code failure;
  const std::filesystem::file_status status = std::filesystem::status(file, failure);
  if (std::filesystem::is_directory(status))
    throw Error(fmt::format("{} is a folder; expected a file name", file.string()));
  bool written = false;
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    written = Write(file, text);  // a terminal, a pipe, /dev/null: renaming over it would replace it
  } else {
    // The process number keeps two runs that write the same file apart.
    const std::filesystem::path temporary = fmt::format("{}.{}.partial", file.string(), getpid());
    written = Write(temporary, text);
    if (written) std::filesystem::rename(temporary, file, failure);
    if (written && failure) written = false;
    if (!written) std::filesystem::remove(temporary, failure);
  }
  if (!written)
    throw Error(fmt::format("{} cannot be written; is the folder there, writable and not full?", file.string()));
}

std::string FileSha256(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::error_code ignored;
  if (!in || std::filesystem::is_directory(file, ignored))
    throw Error(fmt::format("{}: {}", file.string(),
                            std::filesystem::is_directory(file, ignored) ? "is a folder; expected a file"
                            : std::filesystem::exists(file, ignored)     ? "cannot be read"
                                                                         : "there is no such file"));
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  if (!context || EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) != 1)
    throw Error("SHA-256 is not available: OpenSSL has no provider for it");
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
