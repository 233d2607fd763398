// What is packed says the same as what is computed with, read back here by code that shares nothing with the writer.

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "files/temporary_folder.h"
#include "network/model_case.h"
#include "quantize/networks.h"

namespace bitplan::test {
namespace {

const std::vector<int> kWidths = {2, 3, 4, 5, 6, 7, 8, 16, 32};

/// A safetensors file, https://github.com/huggingface/safetensors#format
struct Packed {
  nlohmann::json header;
  std::string data;
  std::size_t bytes = 0;

  explicit Packed(const std::filesystem::path& file) {
    const std::string all = Contents(file);
    std::uint64_t length = 0;
    std::memcpy(&length, all.data(), 8);
    header = nlohmann::json::parse(all.substr(8, length));
    data = all.substr(8 + length);
    bytes = all.size();
  }

  bool Has(const std::string& name) const { return header.contains(name); }

  std::string Bytes(const std::string& name) const {
    const auto offsets = header.at(name).at("data_offsets").get<std::vector<std::size_t>>();
    return data.substr(offsets[0], offsets[1] - offsets[0]);
  }

  at::Tensor Floats(const std::string& name) const {
    const std::string bytes_of = Bytes(name);
    const auto shape = header.at(name).at("shape").get<std::vector<std::int64_t>>();
    const bool half = header.at(name).at("dtype") == "F16";
    at::Tensor tensor = at::empty(shape, half ? at::kHalf : at::kFloat);
    EXPECT_EQ(tensor.nbytes(), bytes_of.size());
    std::memcpy(tensor.data_ptr(), bytes_of.data(), bytes_of.size());
    return tensor.to(at::kFloat);
  }

  at::Tensor Scale(const std::string& name) const {
    if (header.at(name + "/scale").at("dtype") == "F32") return Floats(name + "/scale");
    std::string bytes_of = Bytes(name + "/scale");
    const at::Tensor codes =
        at::from_blob(bytes_of.data(), {static_cast<std::int64_t>(bytes_of.size())}, at::kByte).clone();
    if (!Has(name + "/scale_block")) return at::exp2(codes.to(at::kFloat) - 127);
    const at::Tensor blocks = Floats(name + "/scale_block").repeat_interleave(256).narrow(0, 0, codes.numel());
    return blocks * codes.view(at::kFloat8_e4m3fn).to(at::kFloat) + Floats(name + "/scale_offset");
  }

  /// By code.
  static at::Tensor Levels(const std::string& type, int bits) {
    if (type == "e4m3") return at::arange(256, at::kByte).view(at::kFloat8_e4m3fn).to(at::kFloat);
    if (type == "e2m1")
      return at::tensor(
          {0.0F, 0.5F, 1.0F, 1.5F, 2.0F, 3.0F, 4.0F, 6.0F, -0.0F, -0.5F, -1.0F, -1.5F, -2.0F, -3.0F, -4.0F, -6.0F});
    if (type == "binary") return at::tensor({-1.0F, 1.0F});
    if (type == "ternary") return at::tensor({-1.0F, 0.0F, 1.0F});
    EXPECT_EQ(type, "power-of-two");
    const int most = (1 << (bits - 1)) - 1;
    at::Tensor levels = at::exp2(at::arange(most + 1).to(at::kFloat) - most);
    levels[0] = 0;
    return at::cat({levels, -levels});
  }

  static at::Tensor AlongAxis(const at::Tensor& scale, const at::Tensor& like, int axis) {
    std::vector<std::int64_t> along(static_cast<std::size_t>(like.dim()), 1);
    along[static_cast<std::size_t>(axis)] = scale.numel();
    return scale.view(along);
  }

  /// One scale after the other, for `group` values of a channel each.
  static at::Tensor InGroups(const at::Tensor& values, const at::Tensor& scale, int axis, int group) {
    at::Tensor result = values.movedim(axis, 0).contiguous().clone();
    const at::Tensor rows = result.view({result.size(0), -1});
    const std::int64_t per_channel = (rows.size(1) + group - 1) / group;
    for (std::int64_t i = 0; i < rows.size(0); ++i)
      for (std::int64_t j = 0; j < rows.size(1); ++j) rows[i][j] *= scale[i * per_channel + j / group];
    return result.movedim(0, axis);
  }

  /// A weight as the file says it, bit by bit.
  at::Tensor Weight(const std::string& name) const {
    if (header.at(name).at("dtype") != "U8") return Floats(name);
    std::istringstream note(header.at("__metadata__").at(name).get<std::string>());
    int bits = 0, axis = 0;
    char separator = 0;
    note >> bits >> separator >> axis >> separator;
    std::vector<std::int64_t> shape;
    for (std::string size; std::getline(note, size, ',');) shape.push_back(std::stoll(size));
    at::Tensor codes = at::empty(shape, at::kFloat);
    const std::string packed = Bytes(name);
    for (std::int64_t i = 0; i < codes.numel(); ++i) {
      int code = 0;
      for (int b = 0; b < bits; ++b) {
        const std::int64_t position = i * bits + b;
        code |= (static_cast<unsigned char>(packed[static_cast<std::size_t>(position / 8)]) >> (position % 8) & 1) << b;
      }
      codes.data_ptr<float>()[i] = static_cast<float>(code);
    }
    std::string type = header.at("__metadata__").at(name).get<std::string>();
    const int group = std::stoi(type.substr(type.rfind(';') + 1));
    type = type.substr(0, type.rfind(';'));
    type = type.substr(type.rfind(';') + 1);
    const at::Tensor scale = Scale(name);
    if (group > 0)
      return InGroups(type == "integer" ? codes - (1 << (bits - 1)) : Levels(type, bits).take(codes.to(at::kLong)),
                      scale, axis, group);
    if (type != "integer") return Levels(type, bits).take(codes.to(at::kLong)) * AlongAxis(scale, codes, axis);
    at::Tensor zero = at::full({scale.numel()}, static_cast<float>(1 << (bits - 1)));
    if (Has(name + "/zero_point")) {
      const std::string zeros = Bytes(name + "/zero_point");
      for (std::int64_t i = 0; i < zero.numel(); ++i)
        zero[i] = static_cast<float>(static_cast<unsigned char>(zeros[static_cast<std::size_t>(i)]));
    }
    std::vector<std::int64_t> along(shape.size(), 1);
    along[static_cast<std::size_t>(axis)] = scale.numel();
    return (codes - zero.view(along)) * scale.view(along);
  }
};

/// Random widths, alike for the inputs of layers that read the same tensor.
Plan RandomPlan(const Network& network, const std::vector<int>& activations, std::mt19937& random, Scheme scheme,
                Granularity granularity) {
  Format weight = DefaultWeightFormat();
  weight.scheme = scheme;
  weight.granularity = granularity;
  Plan plan = UniformPlan(network, weight, DefaultActivationFormat().WithBits(32));
  std::map<int, int> of_group;
  for (std::size_t i = 0; i < plan.layers.size(); ++i) {
    LayerPlan& layer = plan.layers[i];
    layer.weight = layer.weight.WithBits(kWidths[random() % kWidths.size()]);
    int bits = activations[random() % activations.size()];
    if (const int group = network.layers()[i].tied_group; group >= 0)
      bits = of_group.try_emplace(group, bits).first->second;
    if (network.layers()[i].HasInputSite()) layer.activation = layer.activation.WithBits(bits);
  }
  return plan;
}

double CostOf(const CostTable& table, const Plan& plan) {
  double cost = table.fixed;
  for (std::size_t i = 0; i < plan.layers.size(); ++i)
    cost += table.At(i, plan.layers[i].weight.bits, plan.layers[i].activation.bits).value();
  return cost;
}

void ExpectPacked(const Network& network, const Plan& plan, const Calibration& calibration,
                  const std::filesystem::path& file) {
  const QuantizedNetwork quantized = QuantizedNetwork::Create(network, plan, calibration);
  quantized.SavePacked(file);
  const Packed packed(file);
  const CostTable table = FileSize(network, plan.layers[0].weight, plan.layers[0].activation,
                                   plan.corrections.output != OutputCorrection::None, kWidths, kWidths);
  EXPECT_EQ(CostOf(table, plan), static_cast<double>(std::filesystem::file_size(file)));
  std::size_t covered = 0;
  for (const auto& [name, entry] : packed.header.items()) {
    if (name == "__metadata__") continue;
    const auto offsets = entry.at("data_offsets").get<std::vector<std::size_t>>();
    covered += offsets[1] - offsets[0];
    const std::string type = entry.at("dtype");
    EXPECT_EQ(offsets[0] % (type == "F32" ? 4 : type == "F16" ? 2 : 1), 0U) << name;
  }
  EXPECT_EQ(covered, packed.data.size());  // without gaps
  EXPECT_EQ((packed.bytes - packed.data.size()) % 8, 0U);
  std::set<int> weights;
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    const int index = network.layers()[i].weight;
    weights.insert(index);
    EXPECT_TRUE(at::equal(packed.Weight(network.parameters()[static_cast<std::size_t>(index)].name),
                          quantized.weights()[i].value))
        << network.layers()[i].name;
  }
  EXPECT_GE(network.parameters().size(), weights.size());
  for (const Parameter& parameter : network.parameters()) EXPECT_TRUE(packed.Has(parameter.name)) << parameter.name;
}

TEST(PackedFile, IsAsLargeAsItsCostAndHoldsTheWeightsOfEveryModel) {
  const TemporaryFolder folder;
  std::mt19937 random(1);
  int plans = 0;
  ForEachCase([&](const ModelCase& model) {
    if (!model.expected().at("batch_first").get<bool>()) return;
    const std::string kind = model.kinds().front();
    SCOPED_TRACE(kind);
    const Network network = model.Load(kind);
    if (network.layers().empty()) return;
    const Dataset data = Dataset::FromTensors(model.Inputs(), {});
    const ActivationStatistics statistics = ActivationStatistics::Collect(network, data, 8);
    bool all_reached = true;
    for (const Layer& layer : network.layers())
      for (const LayerUse& use : layer.uses)
        all_reached = all_reached && (use.input_site < 0 || statistics.Has(use.input_site));
    const std::vector<int> activations = all_reached ? kWidths : std::vector{32};
    const Calibration calibration = Calibration::Collect(network, data, true);
    for (const bool correction : {true, false})
      for (const Scheme scheme : {Scheme::Symmetric, Scheme::Asymmetric})
        for (const Granularity granularity : {Granularity::Channel, Granularity::Tensor}) {
          Plan plan = RandomPlan(network, activations, random, scheme, granularity);
          plan.corrections.output = correction ? OutputCorrection::Channel : OutputCorrection::None;
          ExpectPacked(network, plan, calibration, folder / "packed.safetensors");
          ++plans;
        }
  });
  EXPECT_GT(plans, 200);
}

TEST(PackedFile, HoldsRangesOfInputsAndBiases) {
  const TemporaryFolder folder;
  const Network network = LoadModel("Chain", 2);
  const Plan plan = UniformPlan(network, 4, 8);
  const Dataset data = Samples({64, 3, 8, 8});
  const QuantizedNetwork quantized = QuantizedNetwork::Create(network, plan, data);
  quantized.SavePacked(folder / "packed.safetensors");
  const Packed packed(folder / "packed.safetensors");
  const ActivationStatistics statistics = ActivationStatistics::Collect(network, data, 128);
  for (std::size_t i = 0; i < network.layers().size(); ++i)
    for (const LayerUse& use : network.layers()[i].uses) {
      const std::string site = network.sites()[static_cast<std::size_t>(use.input_site)].name;
      const ActivationRange range = statistics.Range(use.input_site, plan.layers[i].activation);
      EXPECT_EQ(packed.Floats(site + "/scale").item<float>(), static_cast<float>(range.scale));
      EXPECT_EQ(static_cast<unsigned char>(packed.Bytes(site + "/zero_point")[0]), range.zero_point);
      EXPECT_EQ(packed.header.at("__metadata__").at(site), "8;integer");
    }
}

TEST(PackedFile, HoldsEveryFormatAndIsAsLargeAsItsCost) {
  const TemporaryFolder folder;
  const Network network = LoadModel("Chain", 2);
  const Dataset data = Samples({16, 3, 8, 8});
  const Calibration calibration = Calibration::Collect(network, data, true);
  struct Kind {
    NumberType type;
    int bits;
    Granularity granularity;
    int group;
    ScaleType scales;
  };
  for (const Kind& kind : {Kind{NumberType::E4M3, 8, Granularity::Channel, 0, ScaleType::Float32},
                           Kind{NumberType::E4M3, 8, Granularity::Block, 32, ScaleType::PowerOfTwo},
                           Kind{NumberType::E2M1, 4, Granularity::Block, 32, ScaleType::PowerOfTwo},
                           Kind{NumberType::E2M1, 4, Granularity::Block, 5, ScaleType::DoubleQuantized},
                           Kind{NumberType::Binary, 1, Granularity::Channel, 0, ScaleType::Float32},
                           Kind{NumberType::Ternary, 2, Granularity::Channel, 0, ScaleType::Float32},
                           Kind{NumberType::PowerOfTwo, 5, Granularity::Channel, 0, ScaleType::PowerOfTwo},
                           Kind{NumberType::Integer, 4, Granularity::Block, 9, ScaleType::Float32},
                           Kind{NumberType::Integer, 3, Granularity::Channel, 0, ScaleType::PowerOfTwo}}) {
    Format weight = DefaultWeightFormat();
    weight.type = kind.type;
    weight.bits = kind.bits;
    weight.granularity = kind.granularity;
    weight.group_size = kind.group;
    weight.scale_type = kind.scales;
    SCOPED_TRACE(std::string(ToString(kind.type)) + std::to_string(kind.bits) +
                 std::string(ToString(kind.granularity)));
    Format activation = DefaultActivationFormat();
    if (kind.type == NumberType::E4M3) activation.type = NumberType::E4M3;
    const Plan plan = UniformPlan(network, weight, activation);
    const QuantizedNetwork quantized = QuantizedNetwork::Create(network, plan, calibration);
    quantized.SavePacked(folder / "packed.safetensors");
    const Packed packed(folder / "packed.safetensors");
    for (std::size_t i = 0; i < network.layers().size(); ++i) {
      const std::string& name = network.parameters()[static_cast<std::size_t>(network.layers()[i].weight)].name;
      EXPECT_TRUE(at::equal(packed.Weight(name), quantized.weights()[i].value)) << name;
    }
    const CostTable table = FileSize(network, weight, activation, true, {kind.bits}, {8});
    EXPECT_EQ(CostOf(table, plan), static_cast<double>(std::filesystem::file_size(folder / "packed.safetensors")));
  }
}

TEST(PackedFile, OfFourBitsIsLittleMoreThanHalfOfEight) {
  const Network network = Network::Load(std::filesystem::path(BITPLAN_EXAMPLES_DIR) / "cifar10" / "resnet20.pt");
  const CostTable table = FileSize(network, DefaultWeightFormat(), DefaultActivationFormat(), true, kWidths, {32});
  const auto size = [&](int bits) { return CostOf(table, UniformPlan(network, bits, 32)); };
  EXPECT_GE(size(32), 4.0 * 268336);
  EXPECT_LT(size(4), 0.55 * size(8));
  EXPECT_EQ(size(8) - size(4), 268336 / 2);
}

}  // namespace
}  // namespace bitplan::test
