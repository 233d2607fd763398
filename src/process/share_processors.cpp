#include <ATen/Parallel.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "bitplan/process.h"

namespace bitplan {

namespace {

bool UserSaysHowToWait() {
  constexpr std::array kVariables = {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"};
  return std::any_of(kVariables.begin(), kVariables.end(), [](const char* name) { return std::getenv(name); });
}

/// Does not return, unless the program cannot be started.
void StartAnew(char** argv) {
#ifdef __linux__
  if (getauxval(AT_BASE) == 0) return;  // run by the dynamic loader as its argument: the loader would be started
  setenv("OMP_WAIT_POLICY", "PASSIVE", /*overwrite=*/0);
  execv("/proc/self/exe", argv);
#else
  static_cast<void>(argv);
#endif
}

}  // namespace

void ShareProcessors(char** argv) {
  if (!UserSaysHowToWait()) StartAnew(argv);
  if (std::getenv("OMP_NUM_THREADS")) return;
  at::set_num_threads(std::min(at::get_num_threads(), UsableProcessors()));
}

}  // namespace bitplan
