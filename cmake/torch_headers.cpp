// Carries the precompiled LibTorch header; see BitplanRoom.cmake.
#include <ATen/Parallel.h>

#ifndef INTRA_OP_PARALLEL
#error at::parallel_for would run on one thread: compile with OpenMP
#endif
