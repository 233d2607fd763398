#include <gtest/gtest.h>

#include "bitplan/process.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace bitplan::process {
namespace {

TEST(KeepFreedMemory, LeavesTheMemoryOfATensorToTheNext) {
#ifndef __GLIBC__
  GTEST_SKIP() << "the C library is not glibc";
#else
  KeepFreedMemory();
  const auto own_blocks = mallinfo2().hblks;
  const auto heap_with_a_tensor = [] {
    const at::Tensor tensor = at::ones({8 << 20});  // 32 MiB
    return mallinfo2().arena;
  };
  for (int round = 0; round < 20; ++round) heap_with_a_tensor();
  const auto heap = mallinfo2().arena;
  EXPECT_GE(heap, std::size_t{32} << 20);
  for (int round = 0; round < 5; ++round) {
    EXPECT_EQ(heap_with_a_tensor(), heap);
    EXPECT_EQ(mallinfo2().arena, heap);  // not handed back
  }
  EXPECT_EQ(mallinfo2().hblks, own_blocks);
#endif
}

}  // namespace
}  // namespace bitplan::process
