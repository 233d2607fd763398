#include "processors.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include "bitplan/process.h"

namespace bitplan {

namespace {

namespace fs = std::filesystem;

/// In version 2 one file holds both numbers, and "max" stands for no quota; in version 1 −1 does.
std::optional<double> QuotaIn(const fs::path& group) {
  double quota = 0, period = 0;
  if (std::ifstream both(group / "cpu.max"); both) {
    both >> quota >> period;  // "max" leaves the period at 0
  } else {
    std::ifstream(group / "cpu.cfs_quota_us") >> quota;
    std::ifstream(group / "cpu.cfs_period_us") >> period;
  }
  return quota > 0 && period > 0 ? std::optional(quota / period) : std::nullopt;
}

void TakeLeast(std::optional<double>& least, const std::optional<double>& other) {
  if (other) least = least ? std::min(*least, *other) : *other;
}

/// Of a group and all groups around it. In a container the path may be the host's, of which only the end is there.
std::optional<double> LeastQuota(const fs::path& mount, const fs::path& group) {
  std::optional<double> least = QuotaIn(mount);
  for (fs::path path = group.relative_path(); !path.empty(); path = path.parent_path())
    TakeLeast(least, QuotaIn(mount / path));
  return least;
}

bool HasProcessors(const std::string& controllers) {
  std::istringstream names(controllers);
  for (std::string name; std::getline(names, name, ',');)
    if (name == "cpu") return true;
  return false;
}

int BoundProcessors() {
#ifdef __linux__
  constexpr int kMost = 1 << 16;
  cpu_set_t* const set = CPU_ALLOC(kMost);
  const std::size_t size = CPU_ALLOC_SIZE(kMost);
  const int count = set && sched_getaffinity(0, size, set) == 0 ? CPU_COUNT_S(size, set) : 0;
  if (set) CPU_FREE(set);
  if (count > 0) return count;
#endif
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

}  // namespace

}  // namespace bitplan

namespace bitplan::process {

std::optional<double> GroupQuota(const fs::path& root) {
  std::optional<double> least;
  std::ifstream groups(root / "proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {  // number:controllers:path, without controllers in version 2
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1), path = line.substr(second + 1);
    const fs::path mounts = root / "sys/fs/cgroup";
    if (controllers.empty())
      for (const fs::path& mount : {mounts, mounts / "unified"}) TakeLeast(least, LeastQuota(mount, path));
    else if (HasProcessors(controllers))
      for (const fs::path& mount : {mounts / controllers, mounts / "cpu"}) TakeLeast(least, LeastQuota(mount, path));
  }
  return least;
}

int UsableProcessorsUnder(const fs::path& root) {
  const int bound = BoundProcessors();
  const std::optional<double> quota = GroupQuota(root);
  return quota ? std::clamp(static_cast<int>(std::ceil(*quota)), 1, bound) : bound;
}

}  // namespace bitplan::process

namespace bitplan {

int UsableProcessors() { return process::UsableProcessorsUnder("/"); }

}  // namespace bitplan
