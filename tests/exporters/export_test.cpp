// What every exporter promises, whatever its format.
#include "bitplan/export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/serialization/import.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <regex>
#include <sstream>

#include "bitplan/error.h"
#include "exporters/chain_model.h"
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

/// Names that the exporters of one family of networks know.
const std::vector<std::string> kDecoder{"model.layers.0.self_attn.q_proj", "model.layers.1.mlp.down_proj", "lm_head"},
    kResnet{"conv1", "layer1.0.conv1", "layer1.0.conv2", "fc"};

/// A format that the exporter has a place for; 32 bits where it has none.
Format Carried(const CarriedFormats& carried, Format format) {
  const auto& widths = carried.integer_bits;
  if (widths.empty()) return format.WithBits(32);
  format.bits = std::find(widths.begin(), widths.end(), 4) != widths.end() ? 4 : 8;
  format.scheme = carried.schemes.front();
  return format;
}

/// What an exporter of recipes is given: linear layers of the names that it knows, in formats that it carries.
QuantizedNetwork QuantizedFor(const std::string& name) {
  const TemporaryFolder folder;
  SaveChain(folder / "chain.pt", name == "hawq" ? kResnet : kDecoder);
  const Network network = Network::Load(folder / "chain.pt");
  const ExporterTraits traits = FindExporter(name)->Traits("");
  Plan plan = UniformPlan(network, Carried(traits.weights, DefaultWeightFormat()),
                          Carried(traits.inputs, DefaultActivationFormat()));
  plan.corrections.output = OutputCorrection::None;
  plan.layers.back().weight.bits = 8;
  return QuantizedNetwork::Create(network, plan, Samples({8, 32}));
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

std::vector<double> Scales(const QuantizedTensor& weight) {
  const at::Tensor scale = weight.scale.to(at::kDouble).contiguous();
  return {scale.const_data_ptr<double>(), scale.const_data_ptr<double>() + scale.numel()};
}

/// Calls `check` with every layer's name, weight and input.
void EachLayer(const QuantizedNetwork& quantized,
               const std::function<void(const std::string&, const QuantizedTensor&, const QuantizedInput*)>& check) {
  const std::vector<Layer>& layers = quantized.network().layers();
  ASSERT_GE(layers.size(), 3u);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const auto input = quantized.inputs().find(layers[i].uses.front().input_site);
    check(layers[i].name, quantized.weights()[i], input == quantized.inputs().end() ? nullptr : &input->second);
  }
}

void ReadAimet(const QuantizedNetwork& quantized, const fs::path& file) {
  const auto json = nlohmann::json::parse(Contents(file));
  EachLayer(quantized, [&](const std::string& name, const QuantizedTensor& weight, const QuantizedInput* input) {
    const auto& encodings = json.at("param_encodings").at(name + ".weight");
    const std::vector<double> scales = Scales(weight);
    ASSERT_EQ(encodings.size(), scales.size());
    for (std::size_t i = 0; i < scales.size(); ++i) {
      EXPECT_EQ(encodings[i].at("scale"), scales[i]);
      EXPECT_EQ(encodings[i].at("bitwidth"), weight.format.bits);
      EXPECT_EQ(encodings[i].at("offset"), -(1 << (weight.format.bits - 1)));
      EXPECT_DOUBLE_EQ(encodings[i].at("max").get<double>(), scales[i] * ((1 << (weight.format.bits - 1)) - 1));
    }
    const auto& at_input = json.at("activation_encodings").at(name).at("input").at("0");
    EXPECT_EQ(at_input.at("scale"), input->range.scale);
    EXPECT_EQ(at_input.at("bitwidth"), input->format.bits);
  });
}

void ReadModelOpt(const QuantizedNetwork& quantized, const fs::path& file) {
  const auto json = nlohmann::json::parse(Contents(file));
  std::map<std::string, nlohmann::json> by_name;
  for (const auto& rule : json.at("quant_cfg")) by_name[rule.at("quantizer_name")] = rule;
  EXPECT_EQ(by_name.at("*").at("enable"), false);
  EachLayer(quantized, [&](const std::string& name, const QuantizedTensor& weight, const QuantizedInput* input) {
    EXPECT_EQ(by_name.at(name + ".weight_quantizer").at("cfg").at("num_bits"), weight.format.bits);
    EXPECT_EQ(by_name.at(name + ".input_quantizer").at("cfg").at("num_bits"), input->format.bits);
    const auto amax = json.at("amax").at(name + ".weight_quantizer").get<std::vector<double>>();
    const std::vector<double> scales = Scales(weight);
    ASSERT_EQ(amax.size(), weight.format.granularity == Granularity::Tensor ? 1u : 32u);
    for (std::size_t i = 0; i < amax.size(); ++i)
      EXPECT_DOUBLE_EQ(amax[i], scales[i] * ((1 << (weight.format.bits - 1)) - 1));
  });
}

void ReadTorchAo(const QuantizedNetwork& quantized, const fs::path& file) {
  const auto json = nlohmann::json::parse(Contents(file));
  EachLayer(quantized, [&](const std::string& name, const QuantizedTensor& weight, const QuantizedInput*) {
    const auto& config = json.at("_data").at("fqn_to_config").at(name);
    EXPECT_EQ(config.at("_type"), "IntxWeightOnlyConfig");
    EXPECT_EQ(config.at("_data").at("weight_dtype").at("_data"), "int" + std::to_string(weight.format.bits));
  });
}

/// The width that a JSON recipe of a common width and others by layer gives to a layer.
template <typename Matches>
void ReadByLayer(const QuantizedNetwork& quantized, const nlohmann::json& json, const char* key,
                 const Matches& matches) {
  EachLayer(quantized, [&](const std::string& name, const QuantizedTensor& weight, const QuantizedInput*) {
    int bits = json.at("bits");
    for (const auto& [pattern, format] : json.at(key).items())
      if (matches(pattern, name)) bits = format.at("bits");
    EXPECT_EQ(bits, weight.format.bits) << name;
  });
}

void ReadGptqModel(const QuantizedNetwork& quantized, const fs::path& file) {
  ReadByLayer(quantized, nlohmann::json::parse(Contents(file)), "dynamic",
              [](const std::string& pattern, const std::string& name) {
                return pattern.starts_with("+:") && std::regex_search(name, std::regex(pattern.substr(2)));
              });
}

void ReadAutoRound(const QuantizedNetwork& quantized, const fs::path& file) {
  ReadByLayer(quantized, nlohmann::json::parse(Contents(file)), "extra_config",
              [](const std::string& pattern, const std::string& name) { return pattern == name; });
}

void ReadGgufTypes(const QuantizedNetwork& /*quantized*/, const fs::path& file) {
  EXPECT_EQ(Contents(file),
            "^blk\\.0\\.attn_q\\.weight$=q4_k\n^blk\\.1\\.ffn_down\\.weight$=q4_k\n^output\\.weight$=q8_0\n");
}

/// A Python file that has every layer; benchmarks/interop runs it where its tool is.
void ReadPython(const QuantizedNetwork& quantized, const fs::path& file) {
  const std::string text = Contents(file);
  EXPECT_THAT(text, testing::StartsWith("# Written by bitplan"));
  EachLayer(quantized, [&](std::string name, const QuantizedTensor& weight, const QuantizedInput*) {
    const auto has = [&](const std::string& called) {
      return text.find('"' + called + "\": " + std::to_string(weight.format.bits)) != std::string::npos ||
             text.find('"' + called + "\": [" + std::to_string(weight.format.bits)) != std::string::npos;
    };
    std::string node = name;
    std::replace(node.begin(), node.end(), '.', '_');
    EXPECT_TRUE(has(name) || has(node) || text.find('"' + name + ".weight\": [\"QInt") != std::string::npos)
        << name << text;
  });
}

void ReadHawq(const QuantizedNetwork& quantized, const fs::path& file) {
  const int bits = quantized.weights().front().format.bits, input = quantized.inputs().begin()->second.format.bits;
  EXPECT_THAT(Contents(file),
              AllOf(HasSubstr("\"quant_init_block_convbn\": " + std::to_string(bits)),
                    HasSubstr("\"quant_input\": " + std::to_string(input)),
                    HasSubstr("\"stage1.unit1.quant_convbn2\": " + std::to_string(bits)),
                    HasSubstr("\"stage1.unit1.quant_act1\": " + std::to_string(input)),
                    HasSubstr("\"stage1.unit1.quant_act_int32\": 16"), HasSubstr("\"quant_output\": 8")));
}

/// The codes and scales of every weight.
void ReadCodes(const QuantizedNetwork& quantized, const fs::path& file) {
  const std::string bytes = Contents(file);
  std::uint64_t length = 0;
  ASSERT_GT(bytes.size(), sizeof length);
  std::memcpy(&length, bytes.data(), sizeof length);
  const auto header = nlohmann::json::parse(bytes.substr(sizeof length, length));
  EachLayer(quantized, [&](const std::string& name, const QuantizedTensor& weight, const QuantizedInput*) {
    const auto type = nlohmann::json::parse(header.at("__metadata__").at(name + ".weight").get<std::string>());
    EXPECT_EQ(type.at("_data").at("target_dtype").at("_data"), "int" + std::to_string(weight.format.bits));
    const char* const data = bytes.data() + sizeof length + length;
    const auto begin = header.at(name + "._weight_qdata").at("data_offsets").at(0).get<std::size_t>();
    const at::Tensor codes = weight.q.contiguous();
    EXPECT_EQ(std::memcmp(data + begin, codes.const_data_ptr(), codes.nbytes()), 0) << name;
    const auto scale = header.at(name + "._weight_scale").at("data_offsets").at(0).get<std::size_t>();
    EXPECT_EQ(std::memcmp(data + scale, weight.scale.const_data_ptr(), weight.scale.nbytes()), 0) << name;
  });
}

/// The module gives the network's outputs, and beside each weight stand the scales that put it on its grid.
void ReadCoreMl(const QuantizedNetwork& quantized, const fs::path& file) {
  torch::jit::Module module = torch::jit::load(file.string());
  const at::Tensor input = at::randn({4, 32});
  EXPECT_TRUE(at::equal(module.forward({input}).toTensor(), quantized.Forward({input})));
  std::map<std::string, at::Tensor> buffers;
  for (const auto& buffer : module.named_buffers()) buffers[buffer.name] = buffer.value;
  EachLayer(quantized, [&](std::string name, const QuantizedTensor& weight, const QuantizedInput*) {
    std::replace(name.begin(), name.end(), '.', '_');
    const at::Tensor scale = buffers.at("_COREML_/" + name + "_weight/quantization_scale");
    EXPECT_EQ(scale.dim(), weight.q.dim());
    EXPECT_TRUE(at::equal(scale.flatten(), weight.scale.flatten()));
    EXPECT_TRUE(at::equal((buffers.at(name + "_weight") / scale).round(), weight.q.to(at::kFloat)));
    EXPECT_GE(buffers.at("_COREML_/" + name + "_weight/quantization_n_bits").item<int>(), weight.format.bits);
  });
}

/// Who reads what an exporter writes, without its code.
using Reader = std::function<void(const QuantizedNetwork&, const fs::path&)>;
const std::map<std::string, Reader>& Readers() {
  static const std::map<std::string, Reader> readers{{"torchscript", ReadTorchScript},
                                                     {"packed", ReadPacked},
                                                     {"aimet", ReadAimet},
                                                     {"modelopt", ReadModelOpt},
                                                     {"torchao", ReadTorchAo},
                                                     {"gptqmodel", ReadGptqModel},
                                                     {"autoround", ReadAutoRound},
                                                     {"gguf-types", ReadGgufTypes},
                                                     {"ort-overrides", ReadPython},
                                                     {"brevitas", ReadPython},
                                                     {"mct", ReadPython},
                                                     {"hawq", ReadHawq},
                                                     {"haq", ReadPython},
                                                     {"torchao-safetensors", ReadCodes},
                                                     {"coreml", ReadCoreMl}};
  return readers;
}

/// torchscript and packed, which have a place for all that a plan can have.
bool IsFirst(const std::string& name) { return name == "torchscript" || name == "packed"; }

class EachExporter : public testing::TestWithParam<std::string> {
 protected:
  void WriteBy(const Exporter& exporter, const ByteSink& sink) const {
    if (exporter.Traits("").scales)
      exporter.Write(quantized_, {}, sink);
    else
      exporter.WritePlan(quantized_.network(), quantized_.plan(), {}, sink);
  }

  const QuantizedNetwork quantized_ = IsFirst(GetParam()) ? Quantized() : QuantizedFor(GetParam());
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
  WriteBy(*exporter, [&](std::string_view more) { bytes += more; });
  EXPECT_FALSE(bytes.empty());
  Export(quantized_, GetParam(), folder_ / "by name");
  Export(quantized_, *exporter, folder_ / "by object");
  EXPECT_TRUE(Contents(folder_ / "by name") == bytes);
  EXPECT_TRUE(Contents(folder_ / "by object") == bytes);
}

TEST_P(EachExporter, WritesTheFileWholeOrNotAtAll) {
  const fs::path file = folder_.Put("file", "what was there");
  const auto exporter = FindExporter(GetParam());
  const int last = IsFirst(GetParam()) ? 1 : 0;  // recipes may come in one piece
  int pieces = 0;
  EXPECT_THROW(WriteFile(file,
                         [&](const ByteSink& sink) {
                           WriteBy(*exporter, [&](std::string_view more) {
                             if (++pieces > last) throw Error("the disk is full");
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

INSTANTIATE_TEST_SUITE_P(Exporters, EachExporter, testing::ValuesIn(OfAnyNetwork()), [](const auto& name) {
  std::string letters = name.param;
  std::replace(letters.begin(), letters.end(), '-', '_');
  return letters;
});

TEST(Exporters, SaveAndSavePackedAreTheFirstTwo) {
  const std::vector<std::string> names = ExporterNames();
  ASSERT_GE(names.size(), 2u);
  EXPECT_EQ(names[0] + " " + names[1], "torchscript packed");
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
