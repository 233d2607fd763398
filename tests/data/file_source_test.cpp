// Files that are read in pieces give what the same files give in memory, and hold nothing.
#include <gmock/gmock.h>
#include <torch/csrc/jit/serialization/pickle.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>

#include "bitplan/data.h"
#include "data/error_message.h"
#include "data/fixtures.h"
#include "data/temp_folder.h"
#include "data/tensor_values.h"
#include "process/memory_limit.h"

namespace bitplan {
namespace {

using test::ErrorMessage;
using test::Values;
using testing::AllOf;
using testing::HasSubstr;

std::string FixtureFile(const std::string& name) { return test::FixturePath(name).string(); }

std::string ExampleFile(const std::string& name) {
  return (std::filesystem::path(BITPLAN_EXAMPLES_DIR) / "cifar10" / name).string();
}

/// Under so low a limit, which labels need, too, that no inputs are small enough to be held.
DataOptions InPieces(DataOptions options = {}, std::int64_t memory_bytes = 64) {
  options.memory_bytes = memory_bytes;
  return options;
}

void ExpectSameBatch(const Batch& actual, const Batch& expected) {
  ASSERT_EQ(actual.inputs.size(), expected.inputs.size());
  for (std::size_t i = 0; i < expected.inputs.size(); ++i) {
    EXPECT_EQ(actual.inputs[i].scalar_type(), expected.inputs[i].scalar_type());
    EXPECT_TRUE(actual.inputs[i].equal(expected.inputs[i])) << i;
  }
  ASSERT_EQ(actual.labels.defined(), expected.labels.defined());
  if (expected.labels.defined()) {
    EXPECT_TRUE(actual.labels.equal(expected.labels));
  }
}

void ExpectSameSamples(const std::string& spec, const DataOptions& options, std::int64_t memory_bytes = 64) {
  SCOPED_TRACE(spec);
  const Dataset held = Dataset::Load(spec, options), pieces = Dataset::Load(spec, InPieces(options, memory_bytes));
  ASSERT_EQ(pieces.size(), held.size());
  EXPECT_LT(pieces.bytes(), held.bytes());
  EXPECT_EQ(pieces.sha256(), held.sha256());
  EXPECT_EQ(pieces.mean(), held.mean());
  EXPECT_EQ(pieces.source(), held.source());
  ExpectSameBatch(pieces.Get(0, pieces.size()), held.Get(0, held.size()));
  ExpectSameBatch(pieces.Get({held.size() - 1, 0, 0}), held.Get({held.size() - 1, 0, 0}));
  ExpectSameBatch(pieces.From(1).First(1).Get(0, 1), held.From(1).First(1).Get(0, 1));
}

TEST(FileSource, GivesWhatTheSameFileGivesInMemory) {
  for (const std::string& name : {"cifar10:" + FixtureFile("cifar10.bin"),
                                  "cifar100:" + FixtureFile("cifar100.bin"),
                                  FixtureFile("images-idx3-ubyte"),
                                  FixtureFile("f4.idx"),
                                  FixtureFile("i4.idx"),
                                  FixtureFile("f2-big.npy"),
                                  FixtureFile("f4-little.npy"),
                                  FixtureFile("f4-big.npy"),
                                  FixtureFile("bool-little.npy"),
                                  FixtureFile("u2-big.npy"),
                                  FixtureFile("i8-big.npy"),
                                  FixtureFile("version2.npy"),
                                  FixtureFile("tensor.pt"),
                                  FixtureFile("list.pt"),
                                  FixtureFile("named.safetensors"),

                                  FixtureFile("expanded.pt"),
                                  FixtureFile("parameter.pt"),
                                  FixtureFile("bfloat16.pt"),
                                  FixtureFile("float64.pt"),
                                  FixtureFile("bool.pt")}) {
    if (Dataset::Load(name, {}).size() < 2) continue;
    ExpectSameSamples(name, {});
    DataOptions drawn;
    drawn.samples = 2;
    drawn.seed = 11;
    ExpectSameSamples(name, drawn);
  }
}

TEST(FileSource, DrawsTheSamesSamplesOfManyPieces) {
  DataOptions options;
  options.samples = 300;
  options.seed = 3;
  ExpectSameSamples("cifar10:" + ExampleFile("test.bin"), options, 8200);
  ExpectSameSamples("cifar10:" + ExampleFile("test.bin"), {}, 8200);
}

/// Samples of 64 KiB: sixteen to a MiB. Sample n holds n in every element.
std::vector<std::uint8_t> ManyNumbers(std::int64_t samples) {
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + std::to_string(samples) + ", 16384), }";
  header.resize(118, ' ');
  std::vector<std::uint8_t> bytes{0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, 118, 0};
  bytes.insert(bytes.end(), header.begin(), header.end());
  const at::Tensor values = at::arange(samples, at::kFloat).view({samples, 1}).expand({samples, 16384}).contiguous();
  const auto* const begin = static_cast<const std::uint8_t*>(values.const_data_ptr());
  bytes.insert(bytes.end(), begin, begin + values.nbytes());
  return bytes;
}

class ChangedFile : public testing::Test {
 protected:
  void Put(std::size_t at, float value) { std::memcpy(&bytes_[128 + 4 * at], &value, 4); }
  std::string Write() { return folder_.Write("x.npy", bytes_); }
  Dataset Load(const std::string& file) const { return Dataset::Load(file, InPieces()); }

  std::vector<std::uint8_t> bytes_ = ManyNumbers(150);
  test::TempFolder folder_;
};

TEST_F(ChangedFile, AllSamplesAreLookedThroughBeforehand) {
  EXPECT_EQ(Values(Load(Write()).Get({149, 77}).inputs[0].select(1, 16383)), (std::vector<double>{149, 77}));
  Put(std::size_t{140} * 16384 + 5, std::numeric_limits<float>::quiet_NaN());
  const std::string file = Write();
  for (const std::int64_t samples : {0, 1}) {
    DataOptions options = InPieces();
    options.samples = samples;
    EXPECT_EQ(ErrorMessage([&] { Dataset::Load(file, options); }),
              file + ": sample 140, element [5] is NaN; inputs must be finite float32 numbers");
    EXPECT_EQ(ErrorMessage([&] { Dataset::Load(file, options); }), ErrorMessage([&] { Dataset::Load(file, {}); }));
  }
}

TEST_F(ChangedFile, IsRefusedWhereItIsCutOff) {
  bytes_.pop_back();
  EXPECT_THAT(ErrorMessage([&] { Load(Write()); }), HasSubstr("x.npy: record 149 is cut off"));
}

TEST_F(ChangedFile, IsToldWhenItIsReadAgain) {
  const std::string file = Write();
  const Dataset data = Load(file);
  data.Get(0, 1);
  std::filesystem::resize_file(file, bytes_.size() - 1);
  EXPECT_EQ(ErrorMessage([&] { data.Get(0, 1); }),
            file + ": was changed while it was read: it had 9,830,528 bytes, and has 9,830,527");
  std::filesystem::resize_file(file, bytes_.size());
  std::filesystem::last_write_time(file, std::filesystem::last_write_time(file) + std::chrono::seconds(2));
  EXPECT_EQ(ErrorMessage([&] { data.Get(0, 1); }), file + ": was changed while it was read");
  std::filesystem::remove(file);
  EXPECT_THAT(ErrorMessage([&] { data.Get(0, 1); }), HasSubstr("x.npy: cannot be read any more"));
}

TEST_F(ChangedFile, DoesNotMatterWhereSamplesAreHeld) {
  const std::string file = Write();
  const Dataset data = Dataset::Load(file, {});
  std::filesystem::remove(file);
  EXPECT_EQ(Values(data.Get({149, 77}).inputs[0].select(1, 16383)), (std::vector<double>{149, 77}));
}

/// By torch.save.
std::string Saved(const test::TempFolder& folder, const at::Tensor& tensor) {
  const std::vector<char> bytes = torch::jit::pickle_save(c10::IValue(tensor));
  return folder.Write("x.pt", {bytes.begin(), bytes.end()});
}

TEST(StoredTensors, AreReadWhateverTheirStrides) {
  const test::TempFolder folder;
  const at::Tensor values = at::arange(2 * 3 * 4 * 5, at::kFloat).view({2, 3, 4, 5});
  const std::vector<at::Tensor> forms = {values,
                                         values.contiguous(at::MemoryFormat::ChannelsLast),
                                         values.transpose(0, 3),
                                         values.transpose(1, 3),
                                         values.narrow(2, 1, 2),
                                         values.slice(1, 0, 3, 2).transpose(0, 1),
                                         values.select(1, 2).unsqueeze(0).expand({3, 2, 4, 5}),
                                         values.flatten().slice(0, 3, 100, 7),
                                         values.to(at::kHalf).transpose(2, 3),
                                         values.ne(3)};
  for (const at::Tensor& form : forms) {
    const std::string file = Saved(folder, form);
    for (const std::int64_t memory : {std::int64_t{0}, std::int64_t{5000}, std::int64_t{1920}}) {
      DataOptions options;
      options.memory_bytes = memory;
      const Dataset data = Dataset::Load(file, options);
      const at::Tensor read = data.Get(0, form.size(0)).inputs[0];
      EXPECT_TRUE(read.equal(form.to(at::kFloat))) << form.sizes() << " " << form.strides() << " " << memory;
      EXPECT_TRUE(data.Get({form.size(0) - 1, 0})
                      .inputs[0]
                      .equal(form.index_select(0, at::tensor({form.size(0) - 1, std::int64_t{0}})).to(at::kFloat)));
    }
  }
}

std::int64_t LeastFor(const std::string& spec, DataOptions options, std::int64_t memory) {
  options.memory_bytes = memory;
  try {
    Dataset::Load(spec, options);
  } catch (const process::MemoryShort& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr(spec.substr(spec.rfind('/') + 1)), HasSubstr("read in pieces")));
    EXPECT_EQ(error.limit(), memory);
    return error.least();
  }
  return 0;
}

TEST(FilesThatAreHeld, AreRefusedWithWhatWouldDo) {
  for (const std::string name : {"deflated.npz", "fortran.npy", "images-idx3-ubyte.gz"}) {
    const std::string spec = FixtureFile(name);
    const std::int64_t least = LeastFor(spec, {}, 30);
    EXPECT_GT(least, 30) << name;
    EXPECT_EQ(LeastFor(spec, {}, least - 1), least) << name;
    EXPECT_EQ(LeastFor(spec, {}, least), 0) << name;
  }
}

TEST(FilesThatAreHeld, TakeWhatIsDrawn) {
  DataOptions one;
  one.samples = 1;
  const std::string spec = FixtureFile("deflated.npz");
  EXPECT_EQ(LeastFor(spec, {}, 30), 3 * (2 * 4 + 4));
  EXPECT_EQ(LeastFor(spec, one, 30), 0);
  one.seed = 5;
  const Dataset some = Dataset::Load(spec, one), all = Dataset::Load(spec, {});
  EXPECT_EQ(some.bytes(), 2 * 4 + 4 + 8);
  const std::int64_t label = some.labels().item<std::int64_t>();
  const std::int64_t sample = label == 2 ? 0 : label == 0 ? 1 : 2;  // labels are 2, 0, 1
  EXPECT_TRUE(some.Get(0, 1).inputs[0].equal(all.Get(sample, sample + 1).inputs[0]));
}

/// The same archive stored is read where it is.
TEST(FilesThatAreHeld, AreNotThoseThatAreStored) {
  DataOptions little;
  little.memory_bytes = 40;
  EXPECT_EQ(Dataset::Load(FixtureFile("stored.npz"), little).bytes(),
            Dataset::Load(FixtureFile("stored.npz"), {}).labels().nbytes());
  ExpectSameBatch(Dataset::Load(FixtureFile("stored.npz"), little).Get({2, 0}),
                  Dataset::Load(FixtureFile("stored.npz"), {}).Get({2, 0}));
}

}  // namespace
}  // namespace bitplan
