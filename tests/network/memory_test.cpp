#include "bitplan/memory.h"

#include <gtest/gtest.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace bitplan {
namespace {

TEST(KeepFreedMemory, LeavesTheMemoryOfATensorToTheNext) {
#ifndef __GLIBC__
  GTEST_SKIP() << "the C library is not glibc";
#else
  KeepFreedMemory();
  const auto blocks_of_their_own = mallinfo2().hblks;
  constexpr std::int64_t kElements = 8 << 20;  // 32 MiB
  const void* first = nullptr;
  {
    const at::Tensor tensor = at::ones({kElements});
    first = tensor.const_data_ptr();
    EXPECT_EQ(mallinfo2().hblks, blocks_of_their_own);
  }
  EXPECT_GE(mallinfo2().fordblks, 4 * kElements);
  EXPECT_EQ(at::empty({kElements}).const_data_ptr(), first);
#endif
}

}  // namespace
}  // namespace bitplan
