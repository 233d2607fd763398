#include "decode/idx.h"

#include <gmock/gmock.h>

#include "data/error_message.h"
#include "data/fixtures.h"
#include "decode/array_matcher.h"
#include "gzip.h"

namespace bitplan::decode {
namespace {

using test::ErrorMessage;
using testing::AllOf;
using testing::HasSubstr;
using Bytes = std::vector<std::uint8_t>;

class IdxFile : public testing::TestWithParam<std::string> {};

TEST_P(IdxFile, HoldsWhatPythonWrote) {
  test::ExpectArray(DecodeIdx(test::FixtureBytes(GetParam()), GetParam()), test::Expected().at(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(All, IdxFile,
                         testing::Values("images-idx3-ubyte", "labels-idx1-ubyte", "images-idx3-ubyte.gz",
                                         "labels.idx.gz", "i1.idx", "i2.idx", "i4.idx", "f4.idx", "f8.idx"),
                         [](const auto& tested) { return std::to_string(tested.index); });

std::string IdxMessage(Bytes bytes) {
  return ErrorMessage([&] { DecodeIdx(std::move(bytes), "f.idx"); });
}

TEST(Idx, SaysWhichRecordIsCutOff) {
  const Bytes bytes = test::FixtureBytes("images-idx3-ubyte");
  EXPECT_EQ(IdxMessage(Bytes(bytes.begin(), bytes.end() - 16)),  // a record has 15
            "f.idx: record 2 is cut off: [4, 5, 3] of uint8 takes 60 bytes after the header of 16, and 44 are there");
}

TEST(Idx, RefusesExcessBytes) {
  Bytes bytes = test::FixtureBytes("labels-idx1-ubyte");
  bytes.push_back(0);
  EXPECT_THAT(IdxMessage(bytes), AllOf(HasSubstr("takes 4 bytes"), HasSubstr("more are there")));
}

TEST(Idx, RefusesExcessBytesWithinGzip) {
  Bytes bytes = test::FixtureBytes("labels.idx.gz");
  const Bytes member = test::FixtureBytes("images-idx3-ubyte.gz");
  bytes.insert(bytes.end(), member.begin(), member.end());
  EXPECT_THAT(IdxMessage(bytes), HasSubstr("more are there"));
}

TEST(Idx, RefusesWhatIsNoIdxFile) {
  EXPECT_THAT(IdxMessage({}), HasSubstr("f.idx: is empty"));
  EXPECT_THAT(IdxMessage({0, 0, 8}), HasSubstr("is not an IDX file"));
  EXPECT_THAT(IdxMessage({0, 1, 8, 1, 0, 0, 0, 0}), HasSubstr("is not an IDX file"));
  EXPECT_THAT(IdxMessage({0, 0, 10, 1, 0, 0, 0, 0}), AllOf(HasSubstr("0x0a"), HasSubstr("0x08 (uint8)")));
  EXPECT_THAT(IdxMessage({0, 0, 8, 0}), HasSubstr("1 … 255 axes"));
  EXPECT_THAT(IdxMessage({0, 0, 8, 2, 0, 0, 0, 1, 0, 0}), HasSubstr("takes 12 bytes"));
}

TEST(Idx, RefusesDimensionsThatOverflow) {
  Bytes bytes{0, 0, 0x0e, 3};
  bytes.insert(bytes.end(), 12, 0xff);
  EXPECT_THAT(IdxMessage(bytes), HasSubstr("larger than any file"));
  bytes = {0, 0, 0x0e, 4, 0, 0, 0, 0};  // a zero axis must not hide the overflow
  bytes.insert(bytes.end(), 12, 0xff);
  EXPECT_THAT(IdxMessage(bytes), HasSubstr("larger than any file"));
}

TEST(Idx, RefusesHugeDimensionsWithoutTakingTheMemory) {
  EXPECT_THAT(IdxMessage({0, 0, 8, 2, 0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff, 1, 2}), HasSubstr("record 0"));
}

TEST(Gzip, RefusesDamage) {
  const Bytes bytes = test::FixtureBytes("images-idx3-ubyte.gz");
  Bytes damaged = bytes;
  damaged[damaged.size() - 6] ^= 1;  // within the checksum
  EXPECT_THAT(IdxMessage(damaged),
              AllOf(HasSubstr("f.idx: the gzip data is damaged"), HasSubstr("incorrect data check")));
  EXPECT_THAT(IdxMessage(Bytes(bytes.begin(), bytes.end() - 1)), HasSubstr("cut off"));
  Bytes longer = bytes;
  longer.push_back(7);
  EXPECT_THAT(IdxMessage(longer), HasSubstr("1 bytes follow the end of the gzip data"));
}

TEST(Gzip, StopsAtTheLimit) {
  const Bytes bytes = test::FixtureBytes("images-idx3-ubyte.gz");
  const Bytes whole = Gunzip(bytes, "f", 1000);
  EXPECT_EQ(whole, test::FixtureBytes("images-idx3-ubyte"));
  EXPECT_EQ(Gunzip(bytes, "f", 10), Bytes(whole.begin(), whole.begin() + 10));
}

}  // namespace
}  // namespace bitplan::decode
