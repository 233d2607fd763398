// What every exporter promises, whatever its format.
#include "bitplan/export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/serialization/import.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <sstream>

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
  exporter->Write(quantized_, {}, [&](std::string_view more) { bytes += more; });
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
                           exporter->Write(quantized_, {}, [&](std::string_view more) {
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

/// Those that write any network by itself: the rest patch a file of their own, and have tests of their own.
std::vector<std::string> OfAnyNetwork() {
  std::vector<std::string> names;
  for (const auto& exporter : Exporters())
    if (const ExporterTraits traits = exporter->Traits(""); traits.from.empty() && !traits.folder)
      names.emplace_back(exporter->name());
  return names;
}

INSTANTIATE_TEST_SUITE_P(Exporters, EachExporter, testing::ValuesIn(OfAnyNetwork()),
                         [](const auto& name) { return name.param; });

TEST(Exporters, SaveAndSavePackedAreTheFirstTwo) {
  ASSERT_GE(ExporterNames().size(), 2u);
  EXPECT_EQ(ExporterNames()[0], "torchscript");
  EXPECT_EQ(ExporterNames()[1], "packed");
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
  ExporterTraits Traits(std::string_view /*flavor*/) const override {
    ExporterTraits traits = FindExporter("packed")->Traits("");
    traits.operands = false;
    return traits;
  }
  void Write(const QuantizedNetwork& network, const ExportOptions& /*options*/, const ByteSink& sink) const override {
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

/// An exporter of a test's own: what its traits, flavors and options come to.
class Limited : public Exporter {
 public:
  explicit Limited(ExporterTraits traits) : traits_(std::move(traits)) {}
  std::string_view name() const override { return "limited"; }
  std::string_view description() const override { return "a test's"; }
  std::vector<std::string> flavors() const override { return {"left", "right"}; }
  ExporterTraits Traits(std::string_view /*flavor*/) const override { return traits_; }
  void WritePlan(const Network& /*network*/, const Plan& plan, const ExportOptions& options,
                 const ByteSink& sink) const override {
    sink(plan.layers.front().name + options.flavor);
  }
  void WriteFolder(const QuantizedNetwork& /*network*/, const ExportOptions& options,
                   const fs::path& folder) const override {
    WriteFile(folder / "part", options.flavor);
    if (options.flavor == "right") throw Error("no right folder");
  }

 private:
  ExporterTraits traits_;
};

ExporterTraits IntegersOf(std::vector<int> weight_bits, std::vector<int> input_bits) {
  ExporterTraits traits;
  traits.weights = {std::move(weight_bits), {Scheme::Symmetric}, {}, {Granularity::Channel}};
  traits.inputs = {std::move(input_bits), {Scheme::Asymmetric}};
  return traits;
}

/// What RequireCarried says of a plan that `change` made of 4-bit weights and 8-bit inputs; empty: nothing.
std::string RefusalOf(const ExporterTraits& traits, const std::function<void(Plan&)>& change = {},
                      const ExportOptions& options = {}) {
  NetworkOptions with_operands;
  with_operands.operand_sites = true;
  const Network network = SmallResnet().Load("scripted", with_operands);
  Plan plan = UniformPlan(network, 4, 8);
  plan.corrections.output = OutputCorrection::None;
  if (change) change(plan);
  try {
    RequireCarried(network, plan, Limited(traits), options);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(ExporterTraits, RefuseByLayerToolAndReason) {
  const ExporterTraits traits = IntegersOf({2, 4, 8}, {8});
  EXPECT_EQ(RefusalOf(traits), "");
  const std::string first = SmallResnet().Load("scripted").layers().front().name;
  const auto layer = [](auto change) { return [=](Plan& plan) { change(plan.layers.front()); }; };
  const std::vector<std::pair<std::function<void(Plan&)>, std::string>> refusals{
      {layer([](LayerPlan& of) { of.weight.bits = 3; }), "integers of 3 bits; it takes integers of 2, 4, 8 bits"},
      {layer([](LayerPlan& of) { of.weight.scheme = Scheme::Asymmetric; }), "asymmetric integers"},
      {layer([](LayerPlan& of) { of.weight.type = NumberType::Nf4; }), "nf4 numbers"},
      {layer([](LayerPlan& of) { of.weight = of.weight.WithBits(16); }), "float16 numbers"},
      {layer([](LayerPlan& of) { of.weight.granularity = Granularity::Tensor; }), "a scale a tensor"},
      {layer([](LayerPlan& of) { of.weight.narrow_range = true; }), "a narrow range"},
      {layer([](LayerPlan& of) { of.activation.bits = 4; }), "an input: integers of 4 bits"},
      {layer([](LayerPlan& of) { of.activation.calibrator = Calibrator::Dynamic; }), "at run time"},
      {layer([](LayerPlan& of) { of.learned_input = ActivationRange{1, 0, 0.5}; }), "begins elsewhere"}};
  for (const auto& [change, reason] : refusals)
    EXPECT_THAT(RefusalOf(traits, change),
                AllOf(HasSubstr("layer " + first + ": limited --for left"), HasSubstr(reason)));
  EXPECT_EQ(RefusalOf(traits, layer([](LayerPlan& of) { of.weight = of.weight.WithBits(32); })), "");
  ExporterTraits linear = traits;
  linear.layer_ops = {"linear"};
  EXPECT_THAT(RefusalOf(linear), HasSubstr("a quantized conv2d; it takes linear"));
  ExporterTraits groups = traits;
  groups.weights.granularities = {Granularity::Group};
  groups.weights.group_sizes = {32};
  EXPECT_THAT(RefusalOf(groups, layer([](LayerPlan& of) {
                          of.weight.granularity = Granularity::Group;
                          of.weight.group_size = 9;
                        })),
              HasSubstr("groups of 9 weights"));
}

TEST(ExporterTraits, RefuseOperandsAndWhatChangesValues) {
  const ExporterTraits traits = IntegersOf({4}, {8});
  EXPECT_THAT(RefusalOf(traits, [](Plan& plan) { plan.operands.push_back({"add_1.0", DefaultActivationFormat()}); }),
              HasSubstr("operand add_1.0: limited"));
  EXPECT_THAT(RefusalOf(traits, [](Plan& plan) { plan.corrections.output = OutputCorrection::Channel; }),
              HasSubstr("--output-correction none"));
  EXPECT_THAT(RefusalOf(traits, [](Plan& plan) { plan.corrections.rounding = Rounding::Gptq; }),
              HasSubstr("--rounding nearest"));
  EXPECT_THAT(RefusalOf(traits, [](Plan& plan) { plan.corrections.outlier_threshold = 6; }), HasSubstr("outliers"));
  ExporterTraits widths = traits;
  widths.scales = false;
  EXPECT_EQ(RefusalOf(widths, [](Plan& plan) { plan.corrections.output = OutputCorrection::Channel; }), "");
}

TEST(ExportOptions, AreRefusedWhereThereIsNoUseForThem) {
  const ExporterTraits traits = IntegersOf({4}, {8});
  EXPECT_THAT(RefusalOf(traits, {}, {"up", {}}), AllOf(HasSubstr("--for up"), HasSubstr("left, right")));
  EXPECT_THAT(RefusalOf(traits, {}, {"", "model.onnx"}), AllOf(HasSubstr("--from model.onnx"), HasSubstr("limited")));
  const TemporaryFolder folder;
  EXPECT_THAT([&] { Export(Quantized(), "packed", folder / "file", {"left", {}}); },
              ThrowsMessage<Error>(HasSubstr("--for left")));
  EXPECT_EQ(FilesIn(folder.path()), 0u);
}

TEST(Exporters, WithoutScalesNeedAPlanAlone) {
  const TemporaryFolder folder;
  ExporterTraits traits = IntegersOf({4}, {8});
  const Network network = SmallResnet().Load("scripted");
  Plan plan = UniformPlan(network, 4, 8);
  std::reverse(plan.layers.begin(), plan.layers.end());
  EXPECT_THAT([&] { ExportPlan(network, plan, Limited(traits), folder / "file"); }, testing::Throws<Error>());
  traits.scales = false;
  ExportPlan(network, plan, Limited(traits), folder / "file", {"right", {}});
  EXPECT_EQ(Contents(folder / "file"), network.layers().front().name + "right");
  Export(Quantized(), Limited(traits), folder / "applied", {"right", {}});
  EXPECT_EQ(Contents(folder / "applied"), Contents(folder / "file"));
  plan.layers.pop_back();
  EXPECT_THAT([&] { ExportPlan(network, plan, Limited(traits), folder / "other"); }, testing::Throws<Error>());
}

TEST(Exporters, OfFoldersWriteThemWholeOrNotAtAll) {
  const TemporaryFolder folder;
  ExporterTraits traits = FindExporter("packed")->Traits("");
  traits.folder = true;
  const Limited exporter(traits);
  EXPECT_THAT([&] { Export(Quantized(), exporter, folder / "out", {"right", {}}); },
              ThrowsMessage<Error>(HasSubstr("no right folder")));
  EXPECT_EQ(FilesIn(folder.path()), 0u);
  Export(Quantized(), exporter, folder / "out/", {"left", {}});
  EXPECT_EQ(Contents(folder / "out/part"), "left");
  EXPECT_EQ(FilesIn(folder.path()), 1u);
  EXPECT_THAT([&] { Export(Quantized(), exporter, folder / "out", {"left", {}}); },
              ThrowsMessage<Error>(HasSubstr("is there already")));
}

/// The rows of a table in Markdown, by their cells.
std::vector<std::vector<std::string>> RowsOf(const std::string& page) {
  std::vector<std::vector<std::string>> rows;
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("| ")) continue;
    std::vector<std::string> cells;
    for (std::size_t begin = 2, end = 0; (end = line.find(" |", begin)) != std::string::npos; begin = end + 3)
      cells.push_back(line.substr(begin, end - begin));
    rows.push_back(cells);
  }
  return rows;
}

TEST(Exporters, AreInTheDocsAsTheySayOfThemselves) {
  const fs::path page = fs::path(BITPLAN_TEST_DIR).parent_path() / "docs/exports.md";
  EXPECT_EQ(RowsOf(Contents(page)), ExporterTable()) << "docs/exports.md: bitplan export --list has the rows";
}

}  // namespace
}  // namespace bitplan::test
