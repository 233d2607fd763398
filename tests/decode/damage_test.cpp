// Whatever happens to a file's bytes, its decoder gives an array that is whole, or an Error that names the file.
#include <gmock/gmock.h>

#include <functional>
#include <random>

#include "bitplan/error.h"
#include "data/error_message.h"
#include "data/fixtures.h"
#include "decode/cifar.h"
#include "decode/file.h"
#include "decode/idx.h"
#include "decode/npy.h"
#include "decode/npz.h"
#include "decode/safetensors.h"

namespace bitplan::decode {
namespace {

using Bytes = std::vector<std::uint8_t>;
using Decoder = std::function<std::vector<Array>(const Bytes&, const std::string&)>;

struct Case {
  std::string file;
  Decoder decode;
};

std::vector<Array> Npz(const Bytes& bytes, const std::string& file) {
  std::vector<Array> arrays;
  for (NamedArray& named : DecodeNpz(bytes, file)) arrays.push_back(std::move(named.array));
  return arrays;
}

std::vector<Array> Safetensors(const Bytes& bytes, const std::string& file) {
  std::vector<Array> arrays;
  for (const PlacedEntry& entry : PlaceSafetensors(std::make_shared<MemoryBytes>(bytes, file), file))
    arrays.push_back(ReadWhole(entry.array));
  return arrays;
}

std::vector<Array> Cifar(const LabeledImages& decoded) { return {decoded.images, decoded.labels}; }

Decoder DecoderOf(const std::string& file) {
  if (file.ends_with(".npz")) return Npz;
  if (file.ends_with(".safetensors")) return Safetensors;
  if (file.ends_with(".npy")) return [](const Bytes& b, const std::string& f) { return std::vector{DecodeNpy(b, f)}; };
  if (file == "cifar10.bin") return [](const Bytes& b, const std::string& f) { return Cifar(DecodeCifar10(b, f)); };
  if (file == "cifar100.bin") return [](const Bytes& b, const std::string& f) { return Cifar(DecodeCifar100(b, f)); };
  return [](const Bytes& b, const std::string& f) { return std::vector{DecodeIdx(b, f)}; };
}

std::vector<std::string> Files() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(test::FixturePath(""))) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with(".json") && !name.ends_with(".pt") && !name.ends_with(".tokens")) files.push_back(name);
  }
  std::ranges::sort(files);
  return files;
}

/// True when the bytes decode.
bool DecodesOrThrowsError(const Decoder& decode, const Bytes& bytes) {
  try {
    for (const Array& array : decode(bytes, "the file")) {
      EXPECT_EQ(array.bytes.size(), ByteCount(array.type, array.shape, "an array"));
    }
    return true;
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::StartsWith("the file: "));
    return false;
  }
}

class DamagedFile : public testing::TestWithParam<std::string> {};

TEST_P(DamagedFile, IsRefusedWhereverItIsCutOff) {
  const Bytes bytes = test::FixtureBytes(GetParam());
  const Decoder decode = DecoderOf(GetParam());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const bool whole_records = GetParam().starts_with("cifar") && size > 0 && size % (bytes.size() / 2) == 0;
    EXPECT_EQ(DecodesOrThrowsError(decode, Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size))),
              whole_records)
        << size << " of " << bytes.size() << " bytes";
  }
}

TEST_P(DamagedFile, NeverCrashesWithFlippedBits) {
  const Bytes bytes = test::FixtureBytes(GetParam());
  const Decoder decode = DecoderOf(GetParam());
  std::mt19937_64 random(17);
  for (int round = 0; round < 1500; ++round) {
    Bytes flipped = bytes;
    for (int flips = 0; flips <= round % 4; ++flips) {
      // Headers stand at the beginning; half of the flips go there.
      const std::size_t range = round % 2 == 0 ? std::min<std::size_t>(bytes.size(), 128) : bytes.size();
      flipped[random() % range] = static_cast<std::uint8_t>(random());
    }
    DecodesOrThrowsError(decode, flipped);
  }
}

INSTANTIATE_TEST_SUITE_P(All, DamagedFile, testing::ValuesIn(Files()), [](const auto& tested) {
  std::string name = tested.param;
  std::erase_if(name, [](char letter) { return letter == '.' || letter == '-'; });
  return name;
});

TEST(File, IsReadWhole) { EXPECT_EQ(ReadFile(test::FixturePath("cifar10.bin")), test::FixtureBytes("cifar10.bin")); }

TEST(File, ThatCannotBeReadIsNamed) {
  EXPECT_EQ(test::ErrorMessage([] { ReadFile("no/such.bin"); }), "no/such.bin: there is no such file");
  EXPECT_EQ(test::ErrorMessage([] { ReadFile(BITPLAN_TEST_DIR); }),
            std::string(BITPLAN_TEST_DIR) + ": is not a regular file");
}

TEST(File, ThatIsEmptyIsRefused) {
  const auto file = std::filesystem::temp_directory_path() / "bitplan_decode_empty.bin";
  std::ofstream(file).close();
  EXPECT_THAT(test::ErrorMessage([&] { ReadFile(file); }), testing::EndsWith("bitplan_decode_empty.bin: is empty"));
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace bitplan::decode
