#include "bitplan/memory.h"

#include <cstdlib>  // says whose C library it is

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace bitplan {

void KeepFreedMemory() {
#ifdef __GLIBC__
  constexpr int kMebibyte = 1 << 20;
  mallopt(M_TRIM_THRESHOLD, 512 * kMebibyte);
  mallopt(M_MMAP_THRESHOLD, 64 * kMebibyte);
#endif
}

}  // namespace bitplan
