// When what WriteFile writes is put onto the disk: this program's fsync notes its calls.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <string>
#include <vector>

#include "bitplan/files.h"
#include "files/temporary_folder.h"
#include "message_of.h"

namespace bitplan::files {
namespace {

struct Synced {
  std::string path;
  std::string target;  ///< what stood in the file that is written, at this time
};

std::vector<Synced> synced;
std::filesystem::path watched;
int folder_failure = 0;  // what syncing a folder fails with; 0: it does not

std::string PathOf(int descriptor) {
  std::array<char, 4096> path{};
  const ssize_t size = readlink(("/proc/self/fd/" + std::to_string(descriptor)).c_str(), path.data(), path.size() - 1);
  return size < 0 ? "" : std::string(path.data(), static_cast<std::size_t>(size));
}

int Sync(int descriptor) {
  const std::string path = PathOf(descriptor);
  synced.push_back({path, Contents(watched)});
  if (folder_failure == 0 || !std::filesystem::is_directory(path))
    return static_cast<int>(syscall(SYS_fsync, descriptor));
  errno = folder_failure;
  return -1;
}

class WriteFileSync : public ::testing::Test {
 protected:
  WriteFileSync() {
    watched = folder_.Put("file", "old");
    synced.clear();
    folder_failure = 0;
  }
  const TemporaryFolder folder_;
};

TEST_F(WriteFileSync, IsOfTheFileBeforeItGetsItsNameAndOfTheFolderAfterwards) {
  WriteFile(watched, "new");
  ASSERT_EQ(synced.size(), 2U);
  EXPECT_TRUE(synced[0].path.starts_with(watched.string() + ".")) << synced[0].path;
  EXPECT_EQ(synced[0].target, "old");
  EXPECT_EQ(synced[1].path, std::filesystem::canonical(folder_.path()).string());
  EXPECT_EQ(synced[1].target, "new");
}

TEST_F(WriteFileSync, OfAFolderThatFailsIsAnError) {
  folder_failure = EIO;
  EXPECT_THAT(MessageOf([] { WriteFile(watched, "new"); }), ::testing::HasSubstr("cannot be written: Input/output"));
  folder_failure = EINVAL;  // a file system that does not sync folders
  EXPECT_EQ(MessageOf([] { WriteFile(watched, "newer"); }), "no error");
  EXPECT_EQ(Contents(watched), "newer");
}

}  // namespace

int NotedSync(int descriptor) { return Sync(descriptor); }

}  // namespace bitplan::files

extern "C" int fsync(int descriptor) { return bitplan::files::NotedSync(descriptor); }
