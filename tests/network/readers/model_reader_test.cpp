// A model's format is told by what the file holds: names are changed here into those of other formats.
#include "readers/model_reader.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "bitplan/error.h"
#include "files/temporary_folder.h"
#include "network/model_case.h"
#include "network/stored_bytes.h"

namespace bitplan::network {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

const std::vector<std::string>& MisleadingNames() {
  static const std::vector<std::string> names = {
      "model",        "model.pt", "model.pt2", "model.onnx", "weights.safetensors",
      "model.tflite", "a.pickle", "b.npz",     "page.html",  "text.json"};
  return names;
}

std::filesystem::path Foreign(const std::string& name) {
  return std::filesystem::path(BITPLAN_TEST_DIR) / "network" / "foreign" / name;
}

std::string BytesOf(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

TEST(ModelReaders, HaveNamesOfTheirOwn) {
  std::set<std::string> names;
  for (const auto& reader : ModelReaders()) EXPECT_TRUE(names.insert(reader->Name()).second) << reader->Name();
  EXPECT_TRUE(names.contains("a TorchScript file"));
  EXPECT_TRUE(names.contains("an archive of torch.export"));
  EXPECT_TRUE(names.contains("an ONNX model"));
}

TEST(ModelReaders, ReadTorchScriptUnderAnyName) {
  const TemporaryFolder folder;
  for (const std::string kind : {"scripted", "traced", "frozen"}) {
    const std::filesystem::path file = test::ModelPath("mlp." + kind + ".pt");
    if (!std::filesystem::exists(file)) continue;
    const Network expected = Network::Load(file);
    for (const std::string& name : MisleadingNames()) {
      const Network network = Network::Load(folder.Put(name, BytesOf(file)));
      EXPECT_EQ(network.weights_sha256(), expected.weights_sha256()) << name;
      EXPECT_EQ(network.source(), (folder / name).string());
      EXPECT_GT(StoredBytes(folder / name), 0) << name;
    }
  }
}

TEST(ModelReaders, ReadExportedProgramsUnderAnyName) {
  const TemporaryFolder folder;
  for (const std::string& name : MisleadingNames()) {
    const ModelContent content(folder.Put(name, BytesOf(Foreign("exported.pt2"))));
    EXPECT_EQ(ReaderOf(content).Name(), "an archive of torch.export") << name;
    EXPECT_GT(StoredBytes(content.file()), 0);
    EXPECT_FALSE(ReadModel(content.file(), {}).parameters.empty());
  }
}

TEST(ModelReaders, ReadOnnxModelsUnderAnyName) {
  const std::filesystem::path file =
      std::filesystem::path(BITPLAN_TEST_DIR) / "network" / "onnx" / "exports" / "mlp.traced.onnx";
  const TemporaryFolder folder;
  for (const std::string& name : MisleadingNames()) {
    const ModelContent content(folder.Put(name, BytesOf(file)));
    EXPECT_EQ(ReaderOf(content).Name(), "an ONNX model") << name;
    EXPECT_GT(StoredBytes(content.file()), 0);
    EXPECT_FALSE(ReadModel(content.file(), {}).parameters.empty());
  }
}

TEST(ModelReaders, RecognizeWhatTheyDoNotReadUnderAnyName) {
  const std::map<std::string, std::string> formats = {
      {"state_dict.pth",
       "a dict by torch.save, as state_dict() gives: weights without the network that computes with them"},
      {"training_checkpoint.pth",
       "a dict by torch.save, as state_dict() gives: weights without the network that computes with them"},
      {"module.pt", "a module, pickled by torch.save"},
      {"tensor.pt", "tensors by torch.save"},
      {"before_1_6.pth", "a pickle, as torch.save wrote them before PyTorch 1.6"},
      {"weights.safetensors", "safetensors, which hold weights without the network that computes with them"}};
  const TemporaryFolder folder;
  for (const auto& [file, format] : formats) {
    for (const std::string& name : MisleadingNames()) {
      const ModelContent content(folder.Put(name, BytesOf(Foreign(file))));
      EXPECT_EQ(ReaderOf(content).Name(), format) << file << " as " << name;
      EXPECT_EQ(StoredBytes(content.file()), 0);
      const std::string message = MessageOf([&] { ReadModel(content.file(), {}); });
      EXPECT_THAT(message, AllOf(StartsWith(content.file().string() + ": not a TorchScript file: "), HasSubstr("; ")));
    }
  }
}

TEST(ModelReaders, RefuseTruncatedFilesUnderAnyName) {
  const TemporaryFolder folder;
  for (const std::filesystem::path& file : {test::ModelPath("mlp.scripted.pt"), Foreign("exported.pt2")}) {
    const std::string whole = BytesOf(file);
    for (const std::size_t size : {std::size_t{0}, std::size_t{3}, whole.size() / 2, whole.size() - 1})
      for (const std::string name : {"model.pt", "model.onnx", "model.pt2"}) {
        const std::filesystem::path cut = folder.Put(name, whole.substr(0, size));
        const std::string message = MessageOf([&] { ReadModel(cut, {}); });
        EXPECT_THAT(message, StartsWith(cut.string() + ": ")) << size;
        EXPECT_TRUE(test::IsOneLine(message)) << message;
        EXPECT_EQ(StoredBytes(cut), 0);
      }
  }
}

TEST(ModelReaders, GiveTheGraphOfTheFileWithItsInputsAndParameters) {
  const test::ModelCase model("small_resnet");
  for (const std::string& kind : model.kinds()) {
    const LoweredGraph lowered = ReadModel(test::ModelPath("small_resnet." + kind + ".pt"), {});
    EXPECT_EQ(lowered.arguments.size(), 1u);
    EXPECT_EQ(lowered.graph->inputs().size(), 1 + lowered.parameters.size());
    EXPECT_TRUE(lowered.tap_sites.empty());
    EXPECT_EQ(lowered.traced_samples.has_value(), kind == "traced") << kind;
  }
}

}  // namespace
}  // namespace bitplan::network
