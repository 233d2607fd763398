#include "decode/npz.h"

#include <gmock/gmock.h>

#include "data/error_message.h"
#include "data/fixtures.h"
#include "decode/array_matcher.h"

namespace bitplan::decode {
namespace {

using test::ErrorMessage;
using testing::AllOf;
using testing::HasSubstr;
using Bytes = std::vector<std::uint8_t>;

TEST(Npz, HoldsWhatPythonWroteInFileOrder) {
  for (const std::string file : {"stored.npz", "deflated.npz"}) {
    const std::vector<NamedArray> arrays = DecodeNpz(test::FixtureBytes(file), file);
    const auto& expected = test::Expected().at(file).at("arrays");
    ASSERT_EQ(arrays.size(), expected.size());
    for (std::size_t i = 0; i < arrays.size(); ++i) {
      EXPECT_EQ(arrays[i].name, expected[i].at("name").get<std::string>());
      test::ExpectArray(arrays[i].array, expected[i]);
    }
  }
}

std::string MessageFor(const Bytes& bytes) {
  return ErrorMessage([&] { DecodeNpz(bytes, "f.npz"); });
}

TEST(Npz, RefusesOtherFiles) {
  EXPECT_THAT(MessageFor({}), HasSubstr("f.npz: is empty"));
  EXPECT_THAT(MessageFor(test::FixtureBytes("u1-little.npy")), HasSubstr("f.npz: is not a complete zip archive"));
  EXPECT_THAT(MessageFor(test::FixtureBytes("refused-empty.npz")), HasSubstr("f.npz: holds no array"));
  EXPECT_THAT(MessageFor(test::FixtureBytes("refused-text.npz")), HasSubstr("entry readme.txt is not a NumPy array"));
}

TEST(Npz, RefusesATruncatedFile) {
  Bytes bytes = test::FixtureBytes("stored.npz");
  bytes.resize(bytes.size() / 2);
  EXPECT_THAT(MessageFor(bytes), HasSubstr("f.npz: is not a complete zip archive"));
}

TEST(Npz, NamesTheDamagedEntry) {
  Bytes bytes = test::FixtureBytes("stored.npz");
  const std::string name = "first.npy";
  const auto entry = std::search(bytes.begin(), bytes.end(), name.begin(), name.end());
  ASSERT_NE(entry, bytes.end());
  *(entry + 160) ^= 1;  // past the extra field and the 128 bytes of NumPy header
  EXPECT_THAT(MessageFor(bytes), AllOf(HasSubstr("f.npz: entry first.npy: is damaged"), HasSubstr("CRC")));
}

TEST(Npz, RefusesTwoEntriesOfOneName) {
  Bytes bytes = test::FixtureBytes("stored.npz");
  const std::string from = "second.npy", to = "labels.npy";  // of equal length, in local and central headers
  for (auto at = bytes.begin(); (at = std::search(at, bytes.end(), from.begin(), from.end())) != bytes.end();) {
    at = std::copy(to.begin(), to.end(), at);
  }
  EXPECT_THAT(MessageFor(bytes), HasSubstr("has two entries named labels.npy"));
}

}  // namespace
}  // namespace bitplan::decode
