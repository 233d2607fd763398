#include "decode/safetensors.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "data/error_message.h"
#include "data/fixtures.h"
#include "decode/array_matcher.h"
#include "decode/raw.h"

namespace bitplan::decode {
namespace {

using test::ErrorMessage;
using testing::AllOf;
using testing::HasSubstr;
using Bytes = std::vector<std::uint8_t>;

TEST(Safetensors, HoldsWhatPythonWroteInTheHeadersOrder) {
  for (const std::string file : {"named.safetensors", "types.safetensors"}) {
    SCOPED_TRACE(file);
    const Bytes bytes = test::FixtureBytes(file);
    const std::vector<PlacedEntry> entries = PlaceSafetensors(std::make_shared<MemoryBytes>(bytes, file), file);
    const auto& expected = test::Expected().at(file).at("arrays");
    ASSERT_EQ(entries.size(), expected.size());
    for (std::size_t i = 0; i < entries.size(); ++i) {
      EXPECT_EQ(entries[i].name, expected[i].at("name").get<std::string>());
      test::ExpectArray(ReadWhole(entries[i].array), expected[i]);
    }
  }
}

/// A file of this header and so many bytes behind it.
Bytes SafetensorsFile(const std::string& header, std::size_t data) {
  Bytes bytes;
  for (int shift = 0; shift < 64; shift += 8) bytes.push_back(static_cast<std::uint8_t>(header.size() >> shift));
  bytes.insert(bytes.end(), header.begin(), header.end());
  for (std::size_t i = 0; i < data; ++i) bytes.push_back(static_cast<std::uint8_t>(i));
  return bytes;
}

std::string SafetensorsMessage(const Bytes& bytes) {
  return ErrorMessage([&] { PlaceSafetensors(std::make_shared<MemoryBytes>(bytes, "f"), "f"); });
}

std::string TensorEntry(const std::string& type, const std::string& shape, const std::string& offsets) {
  return fmt::format(R"({{"dtype": "{}", "shape": {}, "data_offsets": {}}})", type, shape, offsets);
}

std::string SafetensorsMessage(const std::string& tensor, std::size_t data) {
  return SafetensorsMessage(SafetensorsFile(R"({"x": )" + tensor + "}", data));
}

TEST(Safetensors, TakesTheUpperHalfOfFloats) {
  Bytes bytes = SafetensorsFile(R"({"x": )" + TensorEntry("BF16", "[2]", "[0, 4]") + "}", 0);
  for (const int byte : {0xC0, 0x3F, 0x80, 0xC1}) bytes.push_back(static_cast<std::uint8_t>(byte));
  const auto entries = PlaceSafetensors(std::make_shared<MemoryBytes>(bytes, "f"), "f");
  EXPECT_THAT(test::Values(ReadWhole(entries.at(0).array)), testing::ElementsAre(1.5, -16));
}

TEST(Safetensors, RefusesHeadersThatAreNone) {
  EXPECT_THAT(SafetensorsMessage(Bytes{1, 2, 3}), HasSubstr("f: is not a safetensors file: it has 3 bytes"));
  EXPECT_THAT(SafetensorsMessage(Bytes(64, 0xFF)), HasSubstr("its header would take 18,446,744,073,709,551,615 bytes"));
  Bytes cut_off = SafetensorsFile("{}", 0);
  cut_off[0] = 9;
  EXPECT_THAT(SafetensorsMessage(cut_off), HasSubstr("the header is cut off: it takes 9 bytes, and 2 are there"));
  EXPECT_THAT(SafetensorsMessage(SafetensorsFile("{", 0)), HasSubstr("the header is no JSON"));
  EXPECT_THAT(SafetensorsMessage(SafetensorsFile("{\"\xFF\": 1}", 0)), HasSubstr("the header is no JSON"));
  EXPECT_THAT(SafetensorsMessage(SafetensorsFile("[]", 0)), HasSubstr("is not an object of tensors"));
  EXPECT_THAT(SafetensorsMessage(SafetensorsFile("{}", 0)), HasSubstr("f: holds no tensor"));
  EXPECT_THAT(SafetensorsMessage(SafetensorsFile(R"({"x": 1})", 0)),
              HasSubstr("f: tensor x: is described by no object"));
  EXPECT_THAT(SafetensorsMessage(SafetensorsFile(std::string(1 << 20, '['), 0)), HasSubstr("nested deeper"));
  const std::string x = R"("x": )" + TensorEntry("U8", "[1]", "[0, 1]");
  EXPECT_THAT(SafetensorsMessage(SafetensorsFile("{" + x + ", " + x + "}", 1)), HasSubstr("holds two tensors named x"));
}

TEST(Safetensors, ChecksEveryLength) {
  EXPECT_THAT(SafetensorsMessage(TensorEntry("C64", "[1]", "[0, 8]"), 8), HasSubstr("f: tensor x: element type 'C64'"));
  EXPECT_THAT(SafetensorsMessage(TensorEntry("F32", "[2, 1]", "[0, 7]"), 8),
              HasSubstr("[2, 1] of float32 takes 8 bytes, and its data_offsets span 7"));
  EXPECT_THAT(SafetensorsMessage(TensorEntry("F32", "[2]", "[0, 8]"), 7),
              HasSubstr("within the 7 bytes after the header"));
  EXPECT_THAT(SafetensorsMessage(TensorEntry("F32", "[2]", "[8, 0]"), 8), HasSubstr("are not two places in order"));
  EXPECT_THAT(SafetensorsMessage(TensorEntry("F32", "[2]", "[0]"), 8), HasSubstr("are not two places in order"));
  EXPECT_THAT(SafetensorsMessage(TensorEntry("F32", "[-2]", "[0, 8]"), 8),
              HasSubstr("shape is not a list of whole numbers"));
  EXPECT_THAT(SafetensorsMessage(TensorEntry("F32", "[2.0]", "[0, 8]"), 8),
              HasSubstr("shape is not a list of whole numbers"));
  EXPECT_THAT(SafetensorsMessage(TensorEntry("U8", "[1]", "[0, 18446744073709551615]"), 8),
              HasSubstr("data_offsets is not a list"));
  EXPECT_THAT(SafetensorsMessage(TensorEntry("F32", "[4611686018427387904, 4611686018427387904]", "[0, 8]"), 8),
              HasSubstr("f: tensor x"));
  EXPECT_THAT(SafetensorsMessage(TensorEntry("F32", "[2]", "[0, 8]"), 9),
              HasSubstr("f: has 1 bytes behind its last tensor"));
  EXPECT_THAT(SafetensorsMessage(TensorEntry("U8", "[2]", "[1, 3]"), 3), HasSubstr("f: tensor x: begins at byte"));
  EXPECT_THAT(
      SafetensorsMessage(SafetensorsFile(
          "{\"a\": " + TensorEntry("U8", "[2]", "[0, 2]") + ", \"b\": " + TensorEntry("U8", "[2]", "[1, 3]") + "}", 3)),
      HasSubstr("f: tensor b: begins at byte"));  // they overlap
}

TEST(Raw, IsIntegersOfTheTypeNamed) {
  const Bytes bytes = {1, 2, 0xFF, 0xFF};
  const auto source = std::make_shared<MemoryBytes>(bytes, "f");
  EXPECT_THAT(test::Values(ReadWhole(PlaceRaw(source, "uint16", "f"))), testing::ElementsAre(513, 65535));
  EXPECT_THAT(test::Values(ReadWhole(PlaceRaw(source, "int32", "f"))), testing::ElementsAre(-65023));
  EXPECT_THAT(ErrorMessage([&] { PlaceRaw(source, "int64", "f"); }), HasSubstr("f: the last int64 is cut off"));
  EXPECT_THAT(ErrorMessage([&] { PlaceRaw(source, "float32", "f"); }),
              AllOf(HasSubstr("f: 'float32' is no type"), HasSubstr("int16, int32, int64, uint8, uint16 or uint32")));
}

}  // namespace
}  // namespace bitplan::decode
