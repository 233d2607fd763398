#pragma once

#include <cstdint>

namespace bitplan {

// What concerns the whole process. The tool does all of it; a program that links the library does so itself, at the
// begin of its main:
//
//   int main(int argc, char** argv) {
//     bitplan::ShareProcessors(argv);
//     bitplan::KeepFreedMemory();

/// Makes LibTorch's threads sleep while they wait for each other, and takes no more of them than UsableProcessors().
/// OpenMP's threads otherwise spin, which on a machine with other work takes their processors from those that they wait
/// for: many times the time and the energy.
///
/// How threads wait is settled when the OpenMP library is loaded, so the program is started anew, once, with
/// OMP_WAIT_POLICY=PASSIVE in its environment: call this before anything else, with the arguments of main. Left as they
/// are: how threads wait where OMP_WAIT_POLICY, GOMP_SPINCOUNT or KMP_BLOCKTIME is set, their number where
/// OMP_NUM_THREADS is. On other systems than Linux only the number is seen to.
void ShareProcessors(char** argv);

/// How many processors this process may use at once: those that it is bound to, and no more than the quotas of its
/// control groups (versions 1 and 2, those around it included) allow, rounded up; at least 1.
int UsableProcessors();

/// With glibc: memory that was freed stays with the process for its next tensors, up to `most_bytes` of it (> 0). By
/// the usual rule the C library hands such memory back after each pass, and the system clears it page by page for the
/// next one: up to half of a forward's time. Calling it again sets another bound. Elsewhere it does nothing.
void KeepFreedMemory(std::int64_t most_bytes = std::int64_t{512} << 20);

}  // namespace bitplan
