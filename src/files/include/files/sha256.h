#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace bitplan::files {

/// SHA-256 of bytes that come piece by piece.
class Sha256 {
 public:
  Sha256();  ///< throws Error when OpenSSL has none
  void Add(const void* bytes, std::size_t count);
  void Add(const std::string& text) { Add(text.data(), text.size()); }

  std::string Hex() const;  ///< lower-case hexadecimal digest of what came so far

 private:
  struct Free {
    void operator()(void* context) const;
  };
  std::unique_ptr<void, Free> context_;  // EVP_MD_CTX
};

}  // namespace bitplan::files
