#include "bitplan/files.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <iterator>

#include "cost/error_message.h"
#include "files/temporary_folder.h"

namespace bitplan::files {
namespace {

std::size_t FilesIn(const TemporaryFolder& folder) {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator(folder.path()), std::filesystem::directory_iterator()));
}

TEST(WriteFile, WritesAllBytesAndLeavesNothingElse) {
  const TemporaryFolder folder;
  const std::string text("a\0b\r\n\xff", 6);
  WriteFile(folder / "file", text);
  EXPECT_EQ(Contents(folder / "file"), text);
  WriteFile(folder / "file", "shorter");
  EXPECT_EQ(Contents(folder / "file"), "shorter");
  EXPECT_EQ(FilesIn(folder), 1U);
}

TEST(WriteFile, ThatFailsLeavesTheOldFileAndNothingElse) {
  const TemporaryFolder folder;
  folder.Put("file", "old");
  EXPECT_THAT([&] { WriteFile(folder / "file/below", "new"); }, OneLineError("file/below", "cannot be written"));
  EXPECT_THAT([&] { WriteFile(folder / "missing/file", "new"); }, OneLineError("missing/file", "cannot be written"));
  EXPECT_THAT([&] { WriteFile(folder.path(), "new"); }, OneLineError("is a folder"));
  EXPECT_THAT([&] { WriteFile(folder / std::string(300, 'x'), "new"); }, OneLineError("cannot be written"));
  EXPECT_THAT([] { WriteFile("/proc/bitplan", "new"); },
              OneLineError("/proc/bitplan", "cannot be written"));  // root too
  EXPECT_THAT([] { WriteFile("", "new"); }, OneLineError("cannot be written"));
  EXPECT_EQ(Contents(folder / "file"), "old");
  EXPECT_EQ(FilesIn(folder), 1U);
}

TEST(WriteFile, TakesContentsPieceByPiece) {
  const TemporaryFolder folder;
  WriteFile(folder / "file", [](const ByteSink& sink) {
    sink("one, ");
    sink("");
    sink("two");
  });
  EXPECT_EQ(Contents(folder / "file"), "one, two");
  WriteFile(folder / "file", [](const ByteSink&) {});
  EXPECT_EQ(Contents(folder / "file"), "");
  EXPECT_EQ(FilesIn(folder), 1U);
}

TEST(WriteFile, OfContentsThatThrowLeavesTheOldFileAndNothingElse) {
  const TemporaryFolder folder;
  folder.Put("file", "old");
  const auto failing = [](const ByteSink& sink) {
    sink("new");
    throw Error("no more");
  };
  EXPECT_THAT([&] { WriteFile(folder / "file", failing); }, OneLineError("no more"));
  EXPECT_THAT([&] { WriteFile(folder / "missing/file", failing); }, OneLineError("no more"));
  EXPECT_EQ(Contents(folder / "file"), "old");
  EXPECT_EQ(FilesIn(folder), 1U);
}

TEST(WriteFile, InAFolderWithoutWriteRightsFails) {
  if (geteuid() == 0) GTEST_SKIP() << "root may write anywhere";
  const TemporaryFolder folder;
  std::filesystem::permissions(folder.path(), std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
  EXPECT_THAT([&] { WriteFile(folder / "file", "new"); }, OneLineError("cannot be written"));
  std::filesystem::permissions(folder.path(), std::filesystem::perms::owner_all);
}

TEST(WriteFile, OnAFullDiskFails) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full";
  EXPECT_THAT([] { WriteFile("/dev/full", "new"); }, OneLineError("/dev/full", "cannot be written"));
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/full"));
}

TEST(WriteFile, ToAPipeWritesThroughItInsteadOfReplacingIt) {
  const TemporaryFolder folder;
  const std::filesystem::path pipe = folder / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const int reader = open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  WriteFile(pipe, "through");
  char received[16] = {};
  EXPECT_EQ(read(reader, received, sizeof received), 7);
  close(reader);
  EXPECT_STREQ(received, "through");
  EXPECT_TRUE(std::filesystem::is_fifo(pipe));
}

TEST(FileSha256, EqualsThePublishedVectors) {
  const TemporaryFolder folder;
  // FIPS 180-2, appendix B, and the empty message.
  EXPECT_EQ(FileSha256(folder.Put("f", "")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(FileSha256(folder.Put("f", "abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(FileSha256(folder.Put("f", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(FileSha256(folder.Put("f", std::string(1'000'000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(FileSha256, OfWhatCannotBeReadIsAnError) {
  const TemporaryFolder folder;
  EXPECT_THAT([&] { FileSha256(folder / "missing"); }, OneLineError("missing", "no such file"));
  EXPECT_THAT([&] { FileSha256(folder.path()); }, OneLineError("is a folder"));
  EXPECT_THAT([] { FileSha256(std::string(5000, 'x')); }, OneLineError("no such file"));
}

}  // namespace
}  // namespace bitplan::files
