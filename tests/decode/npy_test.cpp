#include "decode/npy.h"

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

std::vector<std::string> ExpectedFiles() {
  std::vector<std::string> names;
  for (const auto& item : test::Expected().items()) {
    if (item.key().ends_with(".npy")) names.push_back(item.key());
  }
  return names;
}

class NpyFile : public testing::TestWithParam<std::string> {};

TEST_P(NpyFile, HoldsWhatPythonWrote) {
  test::ExpectArray(DecodeNpy(test::FixtureBytes(GetParam()), GetParam()), test::Expected().at(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(All, NpyFile, testing::ValuesIn(ExpectedFiles()), [](const auto& tested) {
  std::string name = tested.param.substr(0, tested.param.size() - 4);
  std::erase(name, '-');
  return name;
});

std::string NpyMessage(Bytes bytes) {
  return ErrorMessage([&] { DecodeNpy(std::move(bytes), "f.npy"); });
}

/// A version 1.0 file of this header text and these bytes.
Bytes File(const std::string& header, const Bytes& data = {}) {
  Bytes bytes{0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};
  bytes.push_back(static_cast<std::uint8_t>(header.size() & 255));
  bytes.push_back(static_cast<std::uint8_t>(header.size() >> 8));
  bytes.insert(bytes.end(), header.begin(), header.end());
  bytes.insert(bytes.end(), data.begin(), data.end());
  return bytes;
}

TEST(Npy, AcceptsAnyOrderOfKeysAndTheOlderSpelling) {
  const Array array =
      DecodeNpy(File("{\"shape\":( 2L ,1 ), 'fortran_order' :False,'descr':'=u2'}\n", {1, 2, 3, 4}), "f");
  EXPECT_EQ(array.shape, (std::vector<std::int64_t>{2, 1}));
  EXPECT_EQ(array.bytes, (Bytes{1, 2, 3, 4}));
}

TEST(Npy, RefusesOtherFiles) {
  EXPECT_THAT(NpyMessage({}), HasSubstr("f.npy: is empty"));
  EXPECT_THAT(NpyMessage({'P', 'K', 3, 4, 0, 0, 0, 0, 0, 0}), HasSubstr("f.npy: is not a NumPy array"));
  EXPECT_THAT(NpyMessage({0x93, 'N', 'U'}), HasSubstr("is not a NumPy array"));
  Bytes bytes = File("{}");
  bytes[6] = 4;
  EXPECT_THAT(NpyMessage(bytes), HasSubstr("version 4.0 is none of 1.0, 2.0, 3.0"));
}

TEST(Npy, RefusesElementsThatAreNoPlainNumbers) {
  for (const auto& [file, part] :
       {std::pair("complex", "'<c16'"), std::pair("text", "'<U1'"), std::pair("objects", "'|O'"),
        std::pair("records", "array of records"), std::pair("times", "'<M8[D]'"), std::pair("uint64", "'<u8'")}) {
    const std::string name = std::string("refused-") + file + ".npy";
    EXPECT_THAT(ErrorMessage([&] { DecodeNpy(test::FixtureBytes(name), name); }),
                AllOf(HasSubstr(name), HasSubstr(part)));
  }
}

TEST(Npy, SaysWhichRecordIsCutOff) {
  const Bytes bytes = test::FixtureBytes("version2.npy");  // [2, 3, 4] of int16
  EXPECT_EQ(NpyMessage(Bytes(bytes.begin(), bytes.end() - 20)),
            "f.npy: record 1 is cut off: [2, 3, 4] of int16 takes 48 bytes after the header of 128, and 28 are there");
}

TEST(Npy, RefusesExcessBytes) {
  Bytes bytes = test::FixtureBytes("u1-little.npy");
  bytes.push_back(0);
  EXPECT_THAT(NpyMessage(bytes), AllOf(HasSubstr("f.npy: has too many bytes"), HasSubstr("7 are there")));
}

TEST(Npy, RefusesBooleansOtherThanZeroAndOne) {
  Bytes bytes = test::FixtureBytes("bool-little.npy");
  bytes.back() = 2;
  EXPECT_THAT(NpyMessage(bytes), HasSubstr("element 5 is 2; a bool is 0 or 1"));
}

TEST(Npy, RefusesMalformedHeaders) {
  const auto header = [](const std::string& descr, const std::string& order, const std::string& shape) {
    return "{'descr': " + descr + ", 'fortran_order': " + order + ", 'shape': " + shape + ", }";
  };
  EXPECT_THAT(NpyMessage(File("")), HasSubstr("byte 10: expected '{'"));
  EXPECT_THAT(NpyMessage(File("{")), HasSubstr("expected a string in quotes"));
  EXPECT_THAT(NpyMessage(File("{}")), HasSubstr("'descr', 'fortran_order' and 'shape', once each"));
  EXPECT_THAT(NpyMessage(File("{'descr': '<f4', 'descr': '<f4'}")), HasSubstr("once each"));
  EXPECT_THAT(NpyMessage(File("{'weight': 3}")), HasSubstr("once each"));
  EXPECT_THAT(NpyMessage(File("{'descr': '<f4")), HasSubstr("a string in quotes"));
  EXPECT_THAT(NpyMessage(File(header("''", "False", "()"))), HasSubstr("element type ''"));
  EXPECT_THAT(NpyMessage(File(header("'|f4'", "False", "()"))), HasSubstr("element type '|f4'"));
  EXPECT_THAT(NpyMessage(File(header("'<f4'", "0", "()"))), HasSubstr("True or False"));
  EXPECT_THAT(NpyMessage(File(header("'<f4'", "False", "3"))), HasSubstr("expected '('"));
  EXPECT_THAT(NpyMessage(File(header("'<f4'", "False", "(3)"))), HasSubstr("Python tuple"));
  EXPECT_THAT(NpyMessage(File(header("'<f4'", "False", "(-1,)"))), HasSubstr("a length from 0"));
  EXPECT_THAT(NpyMessage(File(header("'<f4'", "False", "(99999999999999999999,)"))), HasSubstr("a length from 0"));
  EXPECT_THAT(NpyMessage(File(header("'<f4'", "False", "()") + "x")), HasSubstr("the end of the header"));
}

TEST(Npy, RefusesDimensionsThatOverflow) {
  for (const char* const shape :
       {"(9223372036854775807,)", "(4294967296, 4294967296)", "(0, 4294967296, 4294967296)"}) {
    EXPECT_THAT(NpyMessage(File(std::string("{'descr': '<f8', 'fortran_order': False, 'shape': ") + shape + "}")),
                HasSubstr("larger than any file"));
  }
  EXPECT_THAT(NpyMessage(File("{'descr': '|u1', 'fortran_order': True, 'shape': (1000000, 1000000000)}")),
              HasSubstr("takes 1,000,000,000,000,000 bytes"));
}

TEST(Npy, RefusesAHeaderThatIsCutOff) {
  const Bytes bytes = test::FixtureBytes("version3.npy");
  for (const std::size_t size : {7u, 9u, 11u, 100u}) {
    EXPECT_THAT(NpyMessage(Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size))),
                HasSubstr("f.npy: the NumPy header is cut off"));
  }
}

}  // namespace
}  // namespace bitplan::decode
