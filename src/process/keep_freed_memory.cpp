#include <algorithm>
#include <cstdlib>  // says whose C library it is

#include "bitplan/process.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace bitplan {

void KeepFreedMemory([[maybe_unused]] std::int64_t most_bytes) {
#ifdef __GLIBC__
  // Blocks above the second threshold are the system's, and go back to it as soon as they are freed.
  constexpr std::int64_t kMebibyte = 1 << 20, kMost = 1024 * kMebibyte;
  const std::int64_t kept = std::clamp(most_bytes, kMebibyte, kMost);
  mallopt(M_TRIM_THRESHOLD, static_cast<int>(kept));
  mallopt(M_MMAP_THRESHOLD, static_cast<int>(std::clamp(kept / 8, kMebibyte, 64 * kMebibyte)));
#endif
}

}  // namespace bitplan
