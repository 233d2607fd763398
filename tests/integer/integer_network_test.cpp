#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "bitplan/integer.h"
#include "network/model_case.h"
#include "quantize/networks.h"
#include "quantize/quantized_network.h"

namespace bitplan::integer {
namespace {

/// All in integers that can be.
IntegerNetwork Integer(const QuantizedNetwork& quantized) { return IntegerNetwork::Create(quantized); }

/// The fake-quantized network's value at a layer's input is a whole number of steps; that many.
class CodeRecorder : public Probe {
 public:
  explicit CodeRecorder(const QuantizedState& state) : state_(state), probe_(state) {}
  at::Tensor Visit(int site, const at::Tensor& value) override {
    const at::Tensor result = probe_.Visit(site, value);
    if (const auto input = state_.inputs.find(site); input != state_.inputs.end())
      codes.emplace_back(site,
                         (result / input->second.range.scale).round().to(at::kInt) + input->second.range.zero_point);
    return result;
  }
  std::vector<std::pair<int, at::Tensor>> codes;

 private:
  const QuantizedState& state_;
  quantize::QuantizingProbe probe_;
};

double LargestDifference(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

TEST(IntegerNetwork, EveryModelRunsCloseToTheFakeQuantizedOne) {
  int with_integers = 0;
  test::ForEachCase([&](const test::ModelCase& model) {
    for (const std::string& kind : model.kinds()) {
      SCOPED_TRACE(kind);
      const Network network = model.Load(kind);
      Plan plan = UniformPlan(network, 8, 8);
      plan.corrections.output = OutputCorrection::None;
      const std::vector<at::Tensor> inputs = model.Inputs();
      const Dataset data =
          Dataset::FromTensors(model.expected().at("batch_first").get<bool>() ? inputs : model.SampleInputs(), {});
      std::optional<QuantizedNetwork> quantized;
      try {
        quantized = QuantizedNetwork::Create(network, plan, data);
      } catch (const Error&) {
        continue;  // cannot be quantized at all
      }
      const IntegerNetwork integer = Integer(*quantized);
      const at::Tensor expected = quantized->Forward(inputs), output = integer.Forward(inputs),
                       exact = network.Forward(inputs);
      ASSERT_EQ(output.sizes(), expected.sizes());
      if (output.numel() == 0 || !output.is_floating_point()) continue;
      const double range = std::max(exact.abs().max().item<double>(), 1e-3);
      EXPECT_LE(LargestDifference(output, expected), 0.05 * range + 4 * LargestDifference(expected, exact));
      with_integers += std::count(integer.integer_layers().begin(), integer.integer_layers().end(), true) > 0 ? 1 : 0;
    }
  });
  EXPECT_GE(with_integers, 60);
}

/// By name: operators that do not depend on each other stand in any order.
std::multiset<std::string> OperatorsInFloat(const IntegerNetwork& network) {
  std::multiset<std::string> operators;
  for (const FloatOperator& found : network.in_float()) operators.insert(found.op);
  return operators;
}

TEST(IntegerNetwork, OfOperatorsInPlaceAndGrowingListsAndDictsIsThatOfThePlainSpelling) {
  for (const char* const name : {"in_place_residual", "in_place_lists", "in_place_dicts"}) {
    const test::ModelCase model(name);
    const Dataset data = Dataset::FromTensors(model.Inputs(), {});
    const auto integer = [&](const std::string& kind) {
      const Network network = model.Load(kind);
      return Integer(QuantizedNetwork::Create(network, UniformPlan(network, 8, 8), data));
    };
    const IntegerNetwork plain = integer("plain");
    EXPECT_EQ(plain.integer_layers(), std::vector<bool>(4, true));
    for (const std::string& kind : model.kinds()) {
      SCOPED_TRACE(std::string(name) + " " + kind);
      const IntegerNetwork other = integer(kind);
      EXPECT_EQ(other.integer_layers(), plain.integer_layers());
      EXPECT_EQ(OperatorsInFloat(other), OperatorsInFloat(plain));
      EXPECT_TRUE(at::equal(other.Forward(model.Inputs()), plain.Forward(model.Inputs())));
    }
  }
}

TEST(IntegerNetwork, OneLayerIsTheFakeQuantizedLayer) {
  const Network network = LoadModel("Chain", 0);
  const Dataset data = Samples({64, 3, 8, 8});
  const QuantizedNetwork quantized = QuantizedNetwork::Create(network, UniformPlan(network, 4, 8), data);
  const IntegerNetwork integer = Integer(quantized);
  EXPECT_TRUE(integer.in_float().empty());
  const double step = quantize::StateOf(quantized).weights[0].scale.max().item<double>() *
                      quantize::StateOf(quantized).inputs.begin()->second.range.scale;
  const double bias_rounding = 0.5 * step;
  EXPECT_LE(LargestDifference(integer.Forward(AllInputs(data)), quantized.Forward(AllInputs(data))),
            bias_rounding + 1e-5);
}

TEST(IntegerNetwork, CodesOfLaterLayersAreOneStepAwayAtMost) {
  const Network network = LoadModel("Chain", 2);
  const Dataset data = Samples({64, 3, 8, 8});
  const QuantizedNetwork quantized = QuantizedNetwork::Create(network, UniformPlan(network, 8, 8), data);
  const IntegerNetwork integer = Integer(quantized);
  EXPECT_EQ(integer.integer_layers(), std::vector<bool>(3, true));
  EXPECT_TRUE(integer.in_float().empty());
  CodeRecorder recorder(quantize::StateOf(quantized));
  network.Forward(AllInputs(data), quantize::StateOf(quantized).parameters, &recorder);
  const auto codes = integer.InputCodes(AllInputs(data));
  ASSERT_EQ(codes.size(), recorder.codes.size());
  for (std::size_t i = 0; i < codes.size(); ++i) {
    EXPECT_EQ(codes[i].first, recorder.codes[i].first);
    EXPECT_LE(LargestDifference(codes[i].second, recorder.codes[i].second), 1);
  }
}

TEST(IntegerNetwork, NamesWhatStaysInFloat) {
  const Network network = LoadModel("WithoutBias", 2);
  Plan plan = UniformPlan(network, 8, 8);
  plan.corrections.output = OutputCorrection::None;
  plan.layers[1].activation = plan.layers[1].activation.WithBits(32);
  const IntegerNetwork integer = Integer(QuantizedNetwork::Create(network, plan, Samples({16, 3, 4, 4})));
  EXPECT_EQ(integer.integer_layers(), (std::vector<bool>{true, false, true}));
  std::vector<std::string> names;
  for (const FloatOperator& each : integer.in_float()) names.push_back(each.op + ": " + each.reason);
  EXPECT_EQ(names,
            (std::vector<std::string>{"tanh: it has no integer form for what it reads", "conv1d: its input is in float",
                                      "tanh: it has no integer form for what it reads"}));
  EXPECT_EQ(integer.in_float()[1].name, "along");
}

TEST(IntegerNetwork, CountsOverflowsByLayer) {
  const Network network = LoadModel("Chain", 2);
  const Dataset data = Samples({64, 3, 8, 8});
  const QuantizedNetwork quantized = QuantizedNetwork::Create(network, UniformPlan(network, 8, 8), data);
  const auto overflows = [&](int bits, Overflow overflow) {
    return IntegerNetwork::Create(quantized, {.accumulator_bits = bits, .overflow = overflow})
        .Run(AllInputs(data))
        .overflows;
  };
  EXPECT_EQ(overflows(32, Overflow::Saturate), (std::vector<std::int64_t>{0, 0, 0}));
  EXPECT_EQ(overflows(24, Overflow::Wrap), (std::vector<std::int64_t>{0, 0, 0}));
  for (const std::int64_t count : overflows(13, Overflow::Saturate)) EXPECT_GT(count, 0);
}

TEST(IntegerNetwork, RunsTheSameTwice) {
  const Network network = LoadModel("Chain", 2);
  const Dataset data = Samples({16, 3, 8, 8});
  const IntegerNetwork integer = Integer(QuantizedNetwork::Create(network, UniformPlan(network, 4, 4), data));
  EXPECT_TRUE(integer.Forward(AllInputs(data)).equal(integer.Forward(AllInputs(data))));
}

TEST(IntegerNetwork, ADeadChannelGivesItsBias) {
  const Network network = LoadModel("DeadChannel");
  const Dataset data = Samples({32, 6});
  const QuantizedNetwork quantized = QuantizedNetwork::Create(network, UniformPlan(network, 8, 8), data);
  const at::Tensor expected = quantized.Forward(AllInputs(data));
  EXPECT_LE(LargestDifference(Integer(quantized).Forward(AllInputs(data)), expected),
            1e-3 * expected.abs().max().item<double>());
}

TEST(IntegerNetwork, RefusesInputsThatDoNotFitAndOptionsOutOfRange) {
  const Network network = LoadModel("SharedInput");
  const QuantizedNetwork quantized = QuantizedNetwork::Create(network, UniformPlan(network, 8, 8), Samples({32, 6}));
  EXPECT_NE(MessageOf([&] { Integer(quantized).Forward({at::zeros({2, 7})}); }), "no error");
  EXPECT_NE(MessageOf([&] { Integer(quantized).Forward({}); }), "no error");
  EXPECT_EQ(MessageOf([&] { IntegerNetwork::Create(quantized, {.multiplier_bits = 0}); }),
            "multiplier bits: 0 given, expected 1 … 31");
}

}  // namespace
}  // namespace bitplan::integer
