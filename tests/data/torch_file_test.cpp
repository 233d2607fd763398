#include "torch_file.h"

#include <gmock/gmock.h>

#include <random>

#include "data/error_message.h"
#include "data/fixtures.h"
#include "data/tensor_values.h"

namespace bitplan::data {
namespace {

using test::ErrorMessage;
using testing::AllOf;
using testing::HasSubstr;
using Bytes = std::vector<std::uint8_t>;

std::vector<std::string> ExpectedFiles() {
  std::vector<std::string> names;
  for (const auto& item : test::Expected().items()) {
    if (item.key().ends_with(".pt")) names.push_back(item.key());
  }
  return names;
}

/// PyTorch's name of the type, as expected.json has it.
std::string TypeName(const at::Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case at::kByte:
      return "uint8";
    case at::kShort:
      return "int16";
    case at::kInt:
      return "int32";
    case at::kLong:
      return "int64";
    case at::kBool:
      return "bool";
    case at::kHalf:
      return "float16";
    case at::kBFloat16:
      return "bfloat16";
    case at::kFloat:
      return "float32";
    case at::kDouble:
      return "float64";
    default:
      return "another";
  }
}

class TorchFile : public testing::TestWithParam<std::string> {};

TEST_P(TorchFile, HoldsWhatPythonSaved) {
  const std::vector<NamedTensor> tensors = DecodeTorchFile(test::FixtureBytes(GetParam()), GetParam());
  const auto& expected = test::Expected().at(GetParam()).at("tensors");
  ASSERT_EQ(tensors.size(), expected.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    EXPECT_EQ(tensors[i].name, expected[i].value("name", ""));
    EXPECT_EQ(TypeName(tensors[i].tensor), expected[i].at("dtype").get<std::string>());
    EXPECT_EQ(test::Shape(tensors[i].tensor), expected[i].at("shape").get<std::vector<std::int64_t>>());
    EXPECT_EQ(test::Values(tensors[i].tensor.detach()), expected[i].at("values").get<std::vector<double>>());
  }
}

INSTANTIATE_TEST_SUITE_P(All, TorchFile, testing::ValuesIn(ExpectedFiles()), [](const auto& tested) {
  std::string name = tested.param.substr(0, tested.param.size() - 3);
  std::erase(name, '-');
  return name;
});

std::string FixtureMessage(const std::string& fixture) {
  return ErrorMessage([&] { DecodeTorchFile(test::FixtureBytes(fixture), fixture); });
}

TEST(TorchFileForm, BeforePyTorch16IsRefusedWithTheRemedy) {
  EXPECT_THAT(FixtureMessage("legacy.pt"), AllOf(HasSubstr("legacy.pt: "), HasSubstr("before PyTorch 1.6"),
                                                 HasSubstr("torch.save(torch.load(FILE), FILE)")));
}

TEST(TorchFileForm, OtherThanTensorsIsRefused) {
  constexpr const char* kRemedy = "save a tensor, a list or tuple of tensors, or a plain dict of tensors by name";
  EXPECT_THAT(FixtureMessage("refused-nested.pt"), AllOf(HasSubstr("entry 'model' is of type"), HasSubstr(kRemedy)));
  EXPECT_THAT(FixtureMessage("refused-number.pt"), AllOf(HasSubstr("entry 1 is of type Int"), HasSubstr(kRemedy)));
  EXPECT_THAT(FixtureMessage("refused-keys.pt"), HasSubstr("a key of the dict is of type Int"));
  EXPECT_THAT(FixtureMessage("refused-empty.pt"), HasSubstr("holds no tensor"));
  EXPECT_THAT(FixtureMessage("refused-numpy.pt"), AllOf(HasSubstr("refused-numpy.pt: "), HasSubstr(kRemedy)));
  EXPECT_THAT(FixtureMessage("refused-dataset.pt"), AllOf(HasSubstr("refused-dataset.pt: "), HasSubstr(kRemedy)));
  EXPECT_THAT(FixtureMessage("refused-ordered-dict.pt"),
              AllOf(HasSubstr("refused-ordered-dict.pt: "), HasSubstr(kRemedy)));
  EXPECT_THAT(FixtureMessage("refused-torchscript.pt"), HasSubstr("is a TorchScript model, not data"));
  EXPECT_THAT(FixtureMessage("stored.npz"), HasSubstr("not by torch.save (it has no data.pkl)"));
  EXPECT_THAT(FixtureMessage("cifar10.bin"), HasSubstr("is not a file by torch.save"));
}

TEST(TorchFileForm, DamagedIsRefused) {
  Bytes bytes = test::FixtureBytes("tensor.pt");
  const Bytes name{'d', 'a', 't', 'a', '/', '0', 'F', 'B'};  // an entry's name and the padding before its contents
  const auto entry = std::search(bytes.begin(), bytes.end(), name.begin(), name.end());
  ASSERT_NE(entry, bytes.end());
  *(entry + 100) ^= 1;
  EXPECT_THAT(ErrorMessage([&] { DecodeTorchFile(bytes, "x.pt"); }),
              AllOf(HasSubstr("data/0: is damaged"), HasSubstr("CRC")));
}

/// True when the bytes are read as tensors.
bool ReadsOrThrowsError(const Bytes& bytes) {
  try {
    return !DecodeTorchFile(bytes, "x.pt").empty();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::StartsWith("x.pt: "));
    return false;
  }
}

TEST(TorchFileForm, CutOffAnywhereIsRefused) {
  for (const char* const name : {"dict.pt", "legacy.pt"}) {
    const Bytes bytes = test::FixtureBytes(name);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const Bytes part(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_FALSE(ReadsOrThrowsError(part)) << size << " of " << bytes.size() << " bytes";
    }
  }
}

TEST(TorchFileForm, WithFlippedBitsNeverCrashes) {
  std::mt19937_64 random(23);
  for (const char* const name : {"tensor.pt", "dict.pt", "tuple.pt", "float16.pt"}) {
    const Bytes bytes = test::FixtureBytes(name);
    for (int round = 0; round < 1000; ++round) {
      Bytes flipped = bytes;
      for (int flips = 0; flips <= round % 4; ++flips) {
        flipped[random() % flipped.size()] = static_cast<std::uint8_t>(random());
      }
      ReadsOrThrowsError(flipped);
    }
  }
}

}  // namespace
}  // namespace bitplan::data
