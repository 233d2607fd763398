#include <ATen/Parallel.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "bitplan/process.h"
#include "process/start_anew.h"

namespace bitplan {

namespace process {

namespace {

bool SaysHowToWait(std::string_view setting) {
  constexpr std::array<std::string_view, 3> kVariables = {"OMP_WAIT_POLICY=", "GOMP_SPINCOUNT=", "KMP_BLOCKTIME="};
  return std::any_of(kVariables.begin(), kVariables.end(), [&](auto name) { return setting.starts_with(name); });
}

}  // namespace

void StartAnew(char** arguments, char** environment) {
#ifdef __linux__
  if (getauxval(AT_BASE) == 0) return;  // run by the dynamic loader as its argument: the loader would be started
  std::array<char, 24> passive = {"OMP_WAIT_POLICY=PASSIVE"};
  std::vector<char*> settings = {passive.data()};
  for (char** setting = environment; *setting; ++setting) {
    if (SaysHowToWait(*setting)) return;
    settings.push_back(*setting);
  }
  settings.push_back(nullptr);
  execve("/proc/self/exe", arguments, settings.data());
#else
  static_cast<void>(arguments);
  static_cast<void>(environment);
#endif
}

}  // namespace process

void ShareProcessors(char** argv) {
  process::StartAnew(argv, environ);
  if (std::getenv("OMP_NUM_THREADS")) return;
  at::set_num_threads(std::min(at::get_num_threads(), UsableProcessors()));
}

}  // namespace bitplan
