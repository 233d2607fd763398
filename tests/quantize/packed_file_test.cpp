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
    const at::Tensor scale = Floats(name + "/scale");
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
    if (InputCanBeQuantized(network.layers()[i])) layer.activation = layer.activation.WithBits(bits);
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
  const CostTable table =
      FileSize(network, plan.layers[0].weight, plan.layers[0].activation, plan.channel_correction, kWidths, kWidths);
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
          plan.channel_correction = correction;
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
      EXPECT_EQ(packed.header.at("__metadata__").at(site), "8");
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
