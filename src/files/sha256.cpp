#include "files/sha256.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>

#include "bitplan/error.h"

namespace bitplan::files {

namespace {

EVP_MD_CTX* Context(void* context) { return static_cast<EVP_MD_CTX*>(context); }

}  // namespace

void Sha256::Free::operator()(void* context) const { EVP_MD_CTX_free(Context(context)); }

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  if (!context_ || EVP_DigestInit_ex(Context(context_.get()), EVP_sha256(), nullptr) != 1)
    throw Error("SHA-256 is not available: OpenSSL has no provider for it");
}

void Sha256::Add(const void* bytes, std::size_t count) { EVP_DigestUpdate(Context(context_.get()), bytes, count); }

std::string Sha256::Hex() const {
  const Sha256 copy;  // a digest can be taken once
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (EVP_MD_CTX_copy_ex(Context(copy.context_.get()), Context(context_.get())) != 1 ||
      EVP_DigestFinal_ex(Context(copy.context_.get()), digest.data(), &size) != 1)
    throw Error("SHA-256 cannot be computed: OpenSSL failed");
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

}  // namespace bitplan::files
