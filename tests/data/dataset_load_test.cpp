// Dataset::Load by kind of file: what comes out, and what is refused.
#include <gmock/gmock.h>

#include "bitplan/data.h"
#include "bitplan/files.h"
#include "data/error_message.h"
#include "data/fixtures.h"
#include "data/temp_folder.h"
#include "data/tensor_values.h"

namespace bitplan {
namespace {

using test::ErrorMessage;
using test::Shape;
using test::Values;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::string Fixture(const std::string& name) { return test::FixturePath(name).string(); }

std::string Example(const std::string& name) {
  return (std::filesystem::path(BITPLAN_EXAMPLES_DIR) / "cifar10" / name).string();
}

Batch All(const Dataset& dataset) { return dataset.Get(0, dataset.size()); }

std::vector<double> ExpectedValues(const std::string& name) { return test::Expected().at(name).at("values"); }

std::string MessageFor(const std::string& spec, const DataOptions& options = {}) {
  return ErrorMessage([&] { Dataset::Load(spec, options); });
}

TEST(LoadCifar, NormalizesTheBundledImagesWithTheImageNetConstants) {
  const Dataset dataset = Dataset::Load("cifar10:" + Example("test.bin"), {});
  EXPECT_EQ(dataset.size(), 1017);
  ASSERT_TRUE(dataset.has_labels());
  EXPECT_EQ(dataset.source(), "cifar10:" + Example("test.bin"));
  const Batch batch = dataset.Get(3, 5);
  ASSERT_EQ(batch.inputs.size(), 1u);
  EXPECT_EQ(Shape(batch.inputs[0]), (std::vector<std::int64_t>{2, 3, 32, 32}));
  EXPECT_EQ(batch.inputs[0].scalar_type(), at::kFloat);
  EXPECT_EQ(batch.labels.scalar_type(), at::kLong);
  const std::vector<std::uint8_t> bytes = test::FileBytes(Example("test.bin"));
  const std::vector<double> values = Values(batch.inputs[0]), mean{0.485, 0.456, 0.406}, std{0.229, 0.224, 0.225};
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t record = 3 + i / 3072, pixel = i % 3072, channel = pixel / 1024;
    ASSERT_NEAR(values[i], (bytes[record * 3073 + 1 + pixel] / 255.0 - mean[channel]) / std[channel], 1e-6);
  }
  EXPECT_EQ(Values(batch.labels), (std::vector<double>{double(bytes[3 * 3073]), double(bytes[4 * 3073])}));
}

TEST(LoadCifar, TakesTheFineLabelsOfCifar100) {
  const Dataset dataset = Dataset::Load("cifar100:" + Fixture("cifar100.bin"), {});
  EXPECT_THAT(Values(All(dataset).labels), ElementsAre(99, 10));
}

TEST(LoadCifar, RefusesDamagedFiles) {
  const test::TempFolder folder;
  std::vector<std::uint8_t> bytes = test::FixtureBytes("cifar10.bin");
  bytes.push_back(0);
  const std::string longer = folder.Write("train.bin", bytes);
  EXPECT_EQ(MessageFor("cifar10:" + longer),
            longer + ": record 2 is cut off: 6,147 bytes are not a multiple of 3,073 (CIFAR-10 records)");
  EXPECT_THAT(MessageFor("cifar10:" + folder.Write("empty.bin", {})), HasSubstr("empty.bin: is empty"));
  EXPECT_THAT(MessageFor("cifar10:/no/such.bin"), HasSubstr("/no/such.bin: there is no such file"));
}

TEST(LoadIdx, GivesImagesAChannelAxis) {
  const std::string spec = Fixture("images-idx3-ubyte") + "," + Fixture("labels-idx1-ubyte");
  const Batch batch = All(Dataset::Load(spec, {}));
  EXPECT_EQ(Shape(batch.inputs.at(0)), (std::vector<std::int64_t>{4, 1, 5, 3}));
  std::vector<double> expected = ExpectedValues("images-idx3-ubyte");
  for (double& value : expected) value = static_cast<float>(value) / 255.0F;
  EXPECT_EQ(Values(batch.inputs[0]), expected);
  EXPECT_EQ(Values(batch.labels), ExpectedValues("labels-idx1-ubyte"));
}

TEST(LoadIdx, ReadsGzip) {
  const Dataset plain = Dataset::Load("idx:" + Fixture("images-idx3-ubyte"), {});
  const Dataset packed = Dataset::Load("idx:" + Fixture("images-idx3-ubyte.gz") + "," + Fixture("labels.idx.gz"), {});
  EXPECT_FALSE(plain.has_labels());
  EXPECT_EQ(Values(All(packed).inputs[0]), Values(All(plain).inputs[0]));
  EXPECT_EQ(Values(All(packed).labels), ExpectedValues("labels.idx.gz"));
}

TEST(LoadNpy, ConvertsElementTypes) {
  const auto load = [](const std::string& name) { return All(Dataset::Load(Fixture(name), {})).inputs.at(0); };
  for (const char* const name : {"f2-little.npy", "f4-big.npy", "bool-little.npy", "fortran.npy"}) {
    EXPECT_EQ(load(name).scalar_type(), at::kFloat) << name;
  }
  for (const char* const name : {"i2-big.npy", "i4-little.npy", "i8-big.npy", "u2-little.npy", "u4-big.npy"}) {
    EXPECT_EQ(load(name).scalar_type(), at::kLong) << name;
    EXPECT_EQ(Values(load(name)), ExpectedValues(name)) << name;
  }
  EXPECT_EQ(Values(load("f4-big.npy")), ExpectedValues("f4-big.npy"));
  EXPECT_EQ(Values(load("f2-big.npy")), ExpectedValues("f2-big.npy"));
  EXPECT_EQ(Shape(load("fortran-big.npy")), (std::vector<std::int64_t>{2, 3, 4}));
  EXPECT_EQ(Values(load("fortran-big.npy")), ExpectedValues("fortran-big.npy"));
}

TEST(LoadNpy, RefusesWhatHasNoSamples) {
  EXPECT_THAT(MessageFor(Fixture("scalar.npy")), HasSubstr("is a single number"));
  EXPECT_THAT(MessageFor(Fixture("no-rows.npy")), HasSubstr("shape [0, 3] holds no value"));
}

TEST(LoadNpy, RefusesInt8Inputs) {
  EXPECT_THAT(MessageFor(Fixture("i1-little.npy")), AllOf(HasSubstr("int8"), HasSubstr("save pixels as uint8")));
}

TEST(LoadNpy, RefusesDoublesBeyondFloat32) {
  EXPECT_THAT(MessageFor(Fixture("f8-little.npy")),
              AllOf(HasSubstr("f8-little.npy: sample 0, element [0] is infinite"), HasSubstr("float32")));
}

TEST(LoadNpy, NamesBothFilesWhenCountsDiffer) {
  EXPECT_THAT(MessageFor("npy:" + Fixture("u1-little.npy") + "," + Fixture("fortran-vector.npy")),
              AllOf(HasSubstr("fortran-vector.npy: 5 labels for the 2 samples"), HasSubstr("u1-little.npy")));
}

TEST(LoadNpy, SaysWhichLabelsFileIsMissing) {
  EXPECT_THAT(MessageFor("npy:" + Fixture("u1-little.npy") + "," + Fixture("nothing.npy")),
              HasSubstr("nothing.npy: there is no such file"));
}

TEST(LoadNpz, TakesInputsInFileOrderAndLabelsByName) {
  const Batch batch = All(Dataset::Load(Fixture("deflated.npz"), {}));
  ASSERT_EQ(batch.inputs.size(), 2u);
  EXPECT_EQ(Values(batch.inputs[0]), (std::vector<double>{0, 0.25, 0.5, 0.75, 1, 1.25}));
  EXPECT_EQ(Shape(batch.inputs[1]), (std::vector<std::int64_t>{3, 4}));
  EXPECT_FLOAT_EQ(batch.inputs[1][2][3].item<float>(), 11.0F / 255);
  EXPECT_EQ(Shape(batch.labels), (std::vector<std::int64_t>{3}));  // [3, 1] in the file
  EXPECT_THAT(Values(batch.labels), ElementsAre(2, 0, 1));
}

TEST(LoadSafetensors, TakesInputsInFileOrderOrByNameAndLabelsByName) {
  const std::string file = Fixture("named.safetensors");
  const Batch batch = All(Dataset::Load(file, {}));
  ASSERT_EQ(batch.inputs.size(), 2u);
  EXPECT_FLOAT_EQ(batch.inputs[0][1][0].item<float>(), 1);  // 255 of 255
  EXPECT_EQ(Values(batch.inputs[1]), (std::vector<double>{5, 1099511627776, 0, 1, 2, 3, 9, 8, 7}));
  EXPECT_THAT(Values(batch.labels), ElementsAre(2, 0, 1));
  DataOptions by_name;
  by_name.input_names = {"ids"};
  const Batch named = All(Dataset::Load("safetensors:" + file, by_name));
  ASSERT_EQ(named.inputs.size(), 1u);
  EXPECT_EQ(named.inputs[0].scalar_type(), at::kLong);
}

TEST(LoadPt, TakesTensorsListsAndDicts) {
  EXPECT_EQ(All(Dataset::Load(Fixture("tensor.pt"), {})).inputs.size(), 1u);
  EXPECT_EQ(All(Dataset::Load(Fixture("list.pt"), {})).inputs.size(), 2u);
  const Dataset dict = Dataset::Load(Fixture("dict.pt"), {});
  ASSERT_TRUE(dict.has_labels());
  const Batch batch = All(dict);
  ASSERT_EQ(batch.inputs.size(), 2u);  // z, then a
  EXPECT_EQ(Shape(batch.inputs[0]), (std::vector<std::int64_t>{3, 2, 2}));
  EXPECT_EQ(batch.inputs[1].scalar_type(), at::kLong);
  EXPECT_THAT(Values(batch.labels), ElementsAre(1, 0, 4));
}

TEST(LoadPt, TakesLabelsFromAFileOfTheirOwn) {
  const Dataset dataset = Dataset::Load("pt:" + Fixture("tensor.pt") + "," + Fixture("int32.pt"), {});
  EXPECT_EQ(Shape(All(dataset).labels), (std::vector<std::int64_t>{3, 2}));  // dense labels keep their axes
  EXPECT_THAT(MessageFor("pt:" + Fixture("tensor.pt") + "," + Fixture("list.pt")), HasSubstr("holds 2 tensors"));
  EXPECT_THAT(MessageFor("pt:" + Fixture("dict.pt") + "," + Fixture("int32.pt")),
              AllOf(HasSubstr("entry 'target' holds labels already"), HasSubstr("int32.pt")));
}

TEST(LoadPt, ReadsViewsAndExpandedTensors) {
  for (const std::string name : {"view.pt", "expanded.pt", "parameter.pt"}) {
    const at::Tensor input = All(Dataset::Load(Fixture(name), {})).inputs.at(0);
    EXPECT_EQ(Values(input), test::Expected().at(name).at("tensors")[0].at("values").get<std::vector<double>>());
    EXPECT_FALSE(input.requires_grad());
  }
}

TEST(LoadPt, RefusesSparseAndComplexTensors) {
  EXPECT_THAT(MessageFor(Fixture("refused-sparse.pt")), HasSubstr("refused-sparse.pt: "));
  EXPECT_THAT(MessageFor(Fixture("refused-complex.pt")), HasSubstr("complex"));
}

TEST(LoadSha256, IsThatOfTheFile) {
  const std::string images = Fixture("images-idx3-ubyte"), labels = Fixture("labels-idx1-ubyte");
  EXPECT_EQ(Dataset::Load("idx:" + images, {}).sha256(), FileSha256(images));
  const std::string both = Dataset::Load("idx:" + images + "," + labels, {}).sha256();
  const test::TempFolder folder;
  const std::string digests = FileSha256(images) + FileSha256(labels);
  EXPECT_EQ(both, FileSha256(folder.Write("digests", {digests.begin(), digests.end()})));
}

TEST(LoadOptions, RefuseMoreSamplesThanThereAre) {
  DataOptions options;
  options.samples = 1025;
  const std::string spec = "cifar10:" + Example("train.bin");
  EXPECT_EQ(MessageFor(spec, options), spec + ": 1,025 samples were asked for, and it has 1,024");
  options.fewer_allowed = true;
  EXPECT_EQ(Dataset::Load(spec, options).size(), 1024);
}

TEST(LoadOptions, NameTheKindsWhenOneIsUnknown) {
  EXPECT_THAT(MessageFor("csv:x.csv"), AllOf(HasSubstr("unknown kind 'csv'"), HasSubstr("cifar10:FILE")));
}

}  // namespace
}  // namespace bitplan
