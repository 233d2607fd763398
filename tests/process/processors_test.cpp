#include "processors.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <thread>

#include "bitplan/process.h"

namespace bitplan::process {
namespace {

namespace fs = std::filesystem;

/// A tree of files that stands for a machine's.
class FakeMachine {
 public:
  FakeMachine() {
    std::string name = (fs::temp_directory_path() / "bitplan-root-XXXXXX").string();
    root_ = mkdtemp(name.data());
  }
  ~FakeMachine() { fs::remove_all(root_); }
  FakeMachine(const FakeMachine&) = delete;
  FakeMachine& operator=(const FakeMachine&) = delete;

  FakeMachine& With(const fs::path& file, const std::string& text) {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text << "\n";
    return *this;
  }
  std::optional<double> Quota() const { return GroupQuota(root_); }
  const fs::path& root() const { return root_; }

 private:
  fs::path root_;
};

TEST(GroupQuota, IsReadFromVersion2) {
  FakeMachine machine;
  machine.With("proc/self/cgroup", "0::/user.slice/job").With("sys/fs/cgroup/user.slice/job/cpu.max", "150000 100000");
  EXPECT_EQ(machine.Quota(), 1.5);
}

TEST(GroupQuota, IsReadFromVersion1) {
  FakeMachine machine;
  machine.With("proc/self/cgroup", "9:name=systemd:/\n4:cpu,cpuacct:/docker/abc\n1:cpuset:/docker/abc")
      .With("sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us", "300000")
      .With("sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us", "100000");
  EXPECT_EQ(machine.Quota(), 3);
}

TEST(GroupQuota, IsTheLeastOfAllGroupsAround) {
  FakeMachine machine;
  machine.With("proc/self/cgroup", "0::/a/b/c")
      .With("sys/fs/cgroup/a/cpu.max", "200000 100000")
      .With("sys/fs/cgroup/a/b/cpu.max", "max 100000")
      .With("sys/fs/cgroup/a/b/c/cpu.max", "800000 100000");
  EXPECT_EQ(machine.Quota(), 2);
}

TEST(GroupQuota, IsFoundInAContainerThatSeesItsOwnGroupAsTheRoot) {
  FakeMachine machine;
  machine.With("proc/self/cgroup", "3:cpu,cpuacct:/docker/abc")
      .With("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "50000")
      .With("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000");
  EXPECT_EQ(machine.Quota(), 0.5);
}

TEST(GroupQuota, IsNothingWhereNoneIsSet) {
  EXPECT_EQ(FakeMachine().Quota(), std::nullopt);
  FakeMachine second, first;
  second.With("proc/self/cgroup", "0::/").With("sys/fs/cgroup/cpu.max", "max 100000");
  EXPECT_EQ(second.Quota(), std::nullopt);
  first.With("proc/self/cgroup", "1:cpu:/")
      .With("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1")
      .With("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000");
  EXPECT_EQ(first.Quota(), std::nullopt);
}

TEST(UsableProcessors, AreNoMoreThanTheQuotaRoundedUp) {
  FakeMachine machine;
  machine.With("proc/self/cgroup", "0::/job").With("sys/fs/cgroup/job/cpu.max", "20000 100000");
  EXPECT_EQ(UsableProcessorsUnder(machine.root()), 1);
  machine.With("sys/fs/cgroup/job/cpu.max", "100000000 100000");
  EXPECT_EQ(UsableProcessorsUnder(machine.root()), UsableProcessorsUnder(FakeMachine().root()));
}

TEST(UsableProcessors, AreNoMoreThanTheThreadIsBoundTo) {
  int bound = 0;
  std::thread([&] {
    cpu_set_t allowed, one;
    sched_getaffinity(0, sizeof(allowed), &allowed);
    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++cpu)
      if (CPU_ISSET(cpu, &allowed)) CPU_SET(cpu, &one);
    sched_setaffinity(0, sizeof(one), &one);
    bound = UsableProcessors();
  }).join();
  EXPECT_EQ(bound, 1);
  EXPECT_GE(UsableProcessors(), 1);
}

}  // namespace
}  // namespace bitplan::process
