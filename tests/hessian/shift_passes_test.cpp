#include "shifts/shift_passes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "bitplan/error.h"
#include "bitplan/plan.h"
#include "bitplan/quantize.h"
#include "gauss_newton/gradient_pass.h"
#include "hessian/gauss_newton_reference.h"
#include "hessian/reference.h"
#include "message_of.h"
#include "quantize/corrections/few_values.h"
#include "shifts/shift_figures.h"

namespace bitplan::hessian {
namespace {

using testing::HasSubstr;

/// Of every choice, for all samples.
struct AllShifts {
  std::vector<at::Tensor> shifts;

  AllShifts(const Network& network, const Dataset& data, const quantize::SingleChoices& choices,
            const ShiftPassOptions& options = {})
      : shifts(choices.size()) {
    const ShiftPasses passes(network, data, choices, options);
    std::vector<std::vector<at::Tensor>> parts(choices.size());
    for (std::int64_t begin = 0; begin < data.size(); begin += passes.chunk())
      passes.Run(
          begin, std::min(begin + passes.chunk(), data.size()),
          [&](const at::Tensor&, std::size_t choice, const at::Tensor& shift) { parts[choice].push_back(shift); });
    for (std::size_t i = 0; i < parts.size(); ++i) shifts[i] = at::cat(parts[i]);
  }
};

/// One case a model: shifts do not depend on the loss.
std::vector<GaussNewtonCase> OneCaseAModel() {
  std::vector<GaussNewtonCase> cases;
  for (const auto& [name, model] : GaussNewtonReference().items()) cases.push_back({name, 0});
  return cases;
}

at::Tensor Numbers(const nlohmann::json& values) {
  return torch::tensor(values.get<std::vector<double>>(), torch::kDouble);
}

at::Tensor FloatOutput(const GaussNewtonCase& test) {
  return Numbers(test.Model().at("float_output"))
      .view(test.Model().at("output_shape").get<std::vector<std::int64_t>>());
}

class Shifts : public testing::TestWithParam<GaussNewtonCase> {};

TEST_P(Shifts, RowsTimesAChangeOfTheWeightAreItsShiftToFirstOrder) {
  const Network network = GetParam().Load();
  const at::Tensor inputs = GetParam().Inputs(), output = network.Forward({inputs});
  const std::int64_t samples = output.size(0), outputs = output.numel() / samples;
  std::vector<std::int64_t> shape = output.sizes().vec();
  shape.insert(shape.begin(), outputs);
  const at::Tensor basis = torch::eye(outputs).unsqueeze(1).expand({outputs, samples, outputs}).reshape(shape);
  std::size_t compared = 0;
  for (const nlohmann::json& perturbation : GetParam().Model().at("perturbations")) {
    if (perturbation.at("kind") != "weight") continue;
    const int layer = LayerOf(network, perturbation.at("layer"));
    const GradientPass pass(network, {layer}, {inputs.narrow(0, 0, 2)});
    const at::Tensor delta =
        Numbers(perturbation.at("delta")).view(perturbation.at("shape").get<std::vector<std::int64_t>>());
    at::Tensor shift;
    if (pass.HasProducts(0)) {
      std::vector<at::Tensor> parts;
      const std::int64_t step = pass.OneSampleOnly() ? 1 : samples;
      for (std::int64_t n = 0; n < samples; n += step) {
        auto runs = pass.Run({inputs.narrow(0, n, step)}, basis.narrow(1, n, step).contiguous())[0];
        parts.push_back(LayerRows::FromRuns(std::move(runs), delta.to(torch::kFloat)).Times(delta.to(torch::kFloat)));
      }
      shift = at::cat(parts);
    } else {
      std::vector<at::Tensor> parts;
      for (std::int64_t n = 0; n < samples; ++n) {
        const at::Tensor rows = pass.GradientsOfOne({inputs.narrow(0, n, 1)}, basis.narrow(1, n, 1).contiguous())[0];
        parts.push_back(LayerRows::FromGradients(rows).Times(delta.to(torch::kFloat)));
      }
      shift = at::cat(parts);
    }
    const at::Tensor expected = Numbers(perturbation.at("linear_shift")).view({samples, outputs});
    EXPECT_LT(RelativeDifference(shift, expected), 1e-4) << perturbation.at("layer");
    ++compared;
  }
  EXPECT_GT(compared, 1u);
}

TEST_P(Shifts, MeasuredAreThoseOfTheQuantizedNetworkWithThatChoiceAlone) {
  const Network network = GetParam().Load();
  // As many as a correction needs.
  const at::Tensor inputs =
      at::cat(std::vector<at::Tensor>(static_cast<std::size_t>(quantize::kFewestValues), GetParam().Inputs()));
  const Dataset data = Dataset::FromTensors({inputs}, {});
  std::vector<quantize::SingleChoice> choices;
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    choices.push_back({{static_cast<int>(i)}, false, DefaultWeightFormat().WithBits(3)});
    if (network.layers()[i].uses.front().input_site < 0 || network.layers()[i].tied_group >= 0) continue;
    choices.push_back({{static_cast<int>(i)}, true, DefaultActivationFormat().WithBits(4)});
  }
  const auto single = quantize::SingleChoices::Fit(network, {network, DefaultWeightFormat(), {3}}, choices, data,
                                                   {.limits = 2, .progress = {}});
  const AllShifts shifts(network, data, single);
  for (std::size_t i = 0; i < choices.size(); ++i) {
    Plan plan;
    plan.model_sha256 = network.sha256();
    for (std::size_t layer = 0; layer < network.layers().size(); ++layer) {
      const bool chosen = choices[i].layers.front() == static_cast<int>(layer);
      plan.layers.push_back({network.layers()[layer].name,
                             DefaultWeightFormat().WithBits(chosen && !choices[i].activation ? 3 : 32),
                             DefaultActivationFormat().WithBits(chosen && choices[i].activation ? 4 : 32)});
    }
    const auto quantized = QuantizedNetwork::Create(network, plan, data);
    const at::Tensor expected = quantized.Forward({inputs}) - network.Forward({inputs});
    const std::string name = network.layers()[static_cast<std::size_t>(choices[i].layers.front())].name;
    EXPECT_LT((shifts.shifts[i] - expected).abs().max().item<double>(),
              1e-4 * (1 + expected.abs().max().item<double>()))
        << name << (choices[i].activation ? " input" : " weight");
    EXPECT_GT(expected.abs().max().item<double>(), 0) << name;
  }
}

/// To first order: at 8 bits a step is small, and the two differ by second order terms and kinks alone. Left out is
/// an input that is read several times in a row: a change at the first rounds the others differently.
TEST_P(Shifts, LinearAreCloseToMeasuredForFineSteps) {
  const Network network = GetParam().Load();
  const Dataset data = Dataset::FromTensors({GetParam().Inputs()}, {});
  std::vector<quantize::SingleChoice> choices;
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    choices.push_back({{static_cast<int>(i)}, false, DefaultWeightFormat().WithBits(8)});
    if (network.layers()[i].uses.front().input_site < 0 || network.layers()[i].tied_group >= 0) continue;
    if (GetParam().model == "SharedWeight" && network.layers()[i].name == "fc") continue;
    choices.push_back({{static_cast<int>(i)}, true, DefaultActivationFormat().WithBits(8)});
  }
  const auto single = quantize::SingleChoices::Fit(network, {network, DefaultWeightFormat(), {8}}, choices, data, {});
  const AllShifts measured(network, data, single);
  ShiftPassOptions options;
  options.delta = Delta::Linear;
  const AllShifts linear(network, data, single, options);
  for (std::size_t i = 0; i < choices.size(); ++i) {
    const double size = measured.shifts[i].norm().item<double>();
    EXPECT_LT((linear.shifts[i] - measured.shifts[i]).norm().item<double>(), 0.3 * size + 1e-6)
        << network.layers()[static_cast<std::size_t>(choices[i].layers.front())].name
        << (choices[i].activation ? " input" : "");
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Shifts, testing::ValuesIn(OneCaseAModel()),
                         [](const auto& each) { return each.param.model; });

class ShiftFigures : public testing::TestWithParam<GaussNewtonCase> {};

TEST_P(ShiftFigures, AreTheSlopesCurvaturesAndIncreasesOfPyTorch) {
  const at::Tensor logits = FloatOutput(GetParam());
  const Dataset data = GetParam().Samples();
  ShiftJudge judge{logits, data.labels(),
                   ResolveLoss(logits, data.labels(), GetParam().Kind(), GetParam().Temperature())};
  const nlohmann::json& expected = GetParam().Expected();
  at::Tensor sum = at::zeros_like(logits);
  for (std::size_t p = 0; p < GetParam().Model().at("perturbations").size(); ++p) {
    const at::Tensor shift = Numbers(GetParam().Model().at("perturbations").at(p).at("linear_shift")).view_as(logits);
    sum += shift;
    const at::Tensor slopes = Numbers(expected.at("slopes").at(p));
    const double quadratic = expected.at("quadratic").at(p);
    EXPECT_NEAR(judge.Figure(Measure::GaussNewton, shift).value, quadratic, 1e-6 * std::abs(quadratic) + 1e-12);
    EXPECT_NEAR(judge.Figure(Measure::Quadratic, shift).value, slopes.mean().item<double>() + quadratic,
                1e-6 * (std::abs(quadratic) + slopes.abs().mean().item<double>()) + 1e-12);
  }
  const double increase = expected.at("shifted_increase");
  EXPECT_NEAR(judge.Figure(Measure::SingleLoss, sum).value, increase, 1e-6 * std::abs(increase) + 1e-12);
  if (GetParam().Kind() == Loss::Divergence || GetParam().Kind() == Loss::LogitShift) {
    const Measure same = GetParam().Kind() == Loss::Divergence ? Measure::Divergence : Measure::LogitShift;
    EXPECT_NEAR(judge.Figure(same, sum).value, increase, 1e-6 * increase);
  }
}

INSTANTIATE_TEST_SUITE_P(ModelsAndLosses, ShiftFigures, testing::ValuesIn(GaussNewtonCases()),
                         [](const auto& each) { return each.param.Name(); });

TEST(ShiftPasses, InChunksAreTheSame) {
  const GaussNewtonCase test{"ReluConv", 0};
  const Network network = test.Load();
  const Dataset data = Dataset::FromTensors({test.Inputs()}, {});
  const auto single = quantize::SingleChoices::Fit(network, {network, DefaultWeightFormat(), {2}},
                                                   {{{1}, false, DefaultWeightFormat().WithBits(2)}}, data, {});
  const AllShifts whole(network, data, single);
  ShiftPassOptions options;
  options.memory_bytes = 1;
  const std::string message = MessageOf([&] { AllShifts(network, data, single, options); });
  EXPECT_THAT(message, HasSubstr("one sample takes"));
  for (options.memory_bytes = 256; options.memory_bytes < (1 << 24); options.memory_bytes *= 2) {
    try {
      const AllShifts parts(network, data, single, options);
      EXPECT_LT(RelativeDifference(parts.shifts[0], whole.shifts[0]), 1e-5);
      return;
    } catch (const Error&) {
    }
  }
  FAIL() << "no limit was enough";
}

}  // namespace
}  // namespace bitplan::hessian
