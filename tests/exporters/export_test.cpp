// What every exporter promises, whatever its format.
#include "bitplan/export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/serialization/import.h>

#include <cstring>
#include <functional>
#include <map>

#include "bitplan/error.h"
#include "files/temporary_folder.h"
#include "network/model_case.h"
#include "quantize/networks.h"

namespace bitplan::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

const ModelCase& SmallResnet() {
  static const ModelCase model("small_resnet");
  return model;
}

QuantizedNetwork Quantized() {
  const Network network = SmallResnet().Load("scripted");
  return QuantizedNetwork::Create(network, UniformPlan(network, 4, 8),
                                  Dataset::FromTensors(SmallResnet().Inputs(), {}));
}

std::size_t FilesIn(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

void ReadTorchScript(const QuantizedNetwork& quantized, const fs::path& file) {
  const std::vector<at::Tensor> inputs = SmallResnet().Inputs();
  EXPECT_TRUE(at::equal(torch::jit::load(file.string()).forward({inputs[0].to(at::kFloat)}).toTensor(),
                        quantized.Forward({inputs[0].to(at::kFloat)})));
}

/// The header's tensors fill the file to its end, and every parameter is among them.
void ReadPacked(const QuantizedNetwork& quantized, const fs::path& file) {
  const std::string bytes = Contents(file);
  std::uint64_t length = 0;
  ASSERT_GT(bytes.size(), sizeof length);
  std::memcpy(&length, bytes.data(), sizeof length);
  const auto header = nlohmann::json::parse(bytes.substr(sizeof length, length));
  for (const Parameter& parameter : quantized.network().parameters())
    EXPECT_TRUE(header.contains(parameter.name)) << parameter.name;
  std::size_t end = 0;
  for (const auto& [name, entry] : header.items())
    if (name != "__metadata__") end = std::max(end, entry.at("data_offsets").at(1).get<std::size_t>());
  EXPECT_EQ(sizeof length + length + end, bytes.size());
}

/// Who reads what an exporter writes, without its code.
using Reader = std::function<void(const QuantizedNetwork&, const fs::path&)>;
const std::map<std::string, Reader>& Readers() {
  static const std::map<std::string, Reader> readers{{"torchscript", ReadTorchScript}, {"packed", ReadPacked}};
  return readers;
}

class EachExporter : public testing::TestWithParam<std::string> {
 protected:
  const QuantizedNetwork quantized_ = Quantized();
  const TemporaryFolder folder_;
};

TEST_P(EachExporter, WritesWhatIsReadBack) {
  ASSERT_TRUE(Readers().contains(GetParam())) << "an exporter without a reader in this test";
  Export(quantized_, GetParam(), folder_ / "file");
  Readers().at(GetParam())(quantized_, folder_ / "file");
}

TEST_P(EachExporter, GivesTheSameBytesByEveryWayAndEachTime) {
  const auto exporter = FindExporter(GetParam());
  EXPECT_EQ(exporter->name(), GetParam());
  EXPECT_FALSE(exporter->description().empty());
  std::string bytes;
  exporter->Write(quantized_, [&](std::string_view more) { bytes += more; });
  EXPECT_FALSE(bytes.empty());
  Export(quantized_, GetParam(), folder_ / "by name");
  Export(quantized_, *exporter, folder_ / "by object");
  EXPECT_TRUE(Contents(folder_ / "by name") == bytes);
  EXPECT_TRUE(Contents(folder_ / "by object") == bytes);
}

TEST_P(EachExporter, WritesTheFileWholeOrNotAtAll) {
  const fs::path file = folder_.Put("file", "what was there");
  const auto exporter = FindExporter(GetParam());
  int pieces = 0;
  EXPECT_THROW(WriteFile(file,
                         [&](const ByteSink& sink) {
                           exporter->Write(quantized_, [&](std::string_view more) {
                             if (++pieces > 1) throw Error("the disk is full");
                             sink(more);
                           });
                         }),
               Error)
      << "an exporter that swallows its sink's error";
  EXPECT_EQ(Contents(file), "what was there");
  EXPECT_EQ(FilesIn(folder_.path()), 1u);
  Export(quantized_, GetParam(), file);
  EXPECT_NE(Contents(file), "what was there");
  EXPECT_EQ(FilesIn(folder_.path()), 1u);
}

TEST_P(EachExporter, NamesAFileThatCannotBeWritten) {
  EXPECT_THAT([&] { Export(quantized_, GetParam(), folder_ / "no/such/folder/file"); },
              ThrowsMessage<Error>(HasSubstr("no/such/folder/file")));
  EXPECT_THAT([&] { Export(quantized_, GetParam(), folder_.path()); }, testing::Throws<Error>());
  EXPECT_EQ(FilesIn(folder_.path()), 0u);
}

INSTANTIATE_TEST_SUITE_P(Exporters, EachExporter, testing::ValuesIn(ExporterNames()),
                         [](const auto& name) { return name.param; });

TEST(Exporters, SaveAndSavePackedAreTheFirstTwo) {
  EXPECT_THAT(ExporterNames(), testing::ElementsAre("torchscript", "packed"));
  const QuantizedNetwork quantized = Quantized();
  const TemporaryFolder folder;
  quantized.Save(folder / "saved");
  quantized.SavePacked(folder / "packed");
  Export(quantized, "torchscript", folder / "torchscript");
  EXPECT_TRUE(Contents(folder / "saved") == Contents(folder / "torchscript"));
  Export(quantized, "packed", folder / "as packed");
  EXPECT_TRUE(Contents(folder / "packed") == Contents(folder / "as packed"));
}

TEST(Exporters, AreListedWhereANameIsUnknown) {
  const TemporaryFolder folder;
  EXPECT_THAT([&] { Export(Quantized(), "onyx", folder / "file"); },
              ThrowsMessage<Error>(AllOf(HasSubstr("'onyx'"), HasSubstr("torchscript, packed"))));
  EXPECT_FALSE(fs::exists(folder / "file"));
}

/// Writes something and then finds that it cannot go on.
class Refusing : public Exporter {
 public:
  std::string_view name() const override { return "refusing"; }
  std::string_view description() const override { return "nothing"; }
  void Write(const QuantizedNetwork& network, const ByteSink& sink) const override {
    sink("a beginning");
    throw Error("site " + network.network().sites().front().name + " cannot be said");
  }
};

TEST(Exporters, OfACallersOwnWriteWholeFilesToo) {
  const TemporaryFolder folder;
  folder.Put("file", "what was there");
  EXPECT_THAT([&] { Export(Quantized(), Refusing(), folder / "file"); },
              ThrowsMessage<Error>(HasSubstr("cannot be said")));
  EXPECT_EQ(Contents(folder / "file"), "what was there");
  EXPECT_EQ(FilesIn(folder.path()), 1u);
}

}  // namespace
}  // namespace bitplan::test
