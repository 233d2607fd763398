// Measure::Fisher against the dense diagonals of make_fisher_reference.py and make_gauss_newton_reference.py.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>

#include "bitplan/analyze.h"
#include "bitplan/cost.h"
#include "bitplan/error.h"
#include "bitplan/files.h"
#include "bitplan/gauss_newton.h"
#include "bitplan/quantize.h"
#include "data/npy_file.h"
#include "files/temporary_folder.h"
#include "hessian/gauss_newton_reference.h"
#include "hessian/reference.h"
#include "hessian/scripted_network.h"
#include "message_of.h"

namespace bitplan::hessian {
namespace {

using testing::HasSubstr;

const nlohmann::json& FisherReference() {
  static const nlohmann::json reference =
      nlohmann::json::parse(std::ifstream(std::filesystem::path(BITPLAN_TEST_DIR) / "hessian" / "fisher.json"));
  return reference;
}

/// The case of gauss_newton.json with the model's loss.
GaussNewtonCase FisherCase(const std::string& model) {
  for (const GaussNewtonCase& each : GaussNewtonCases())
    if (each.model == model && each.Expected().at("loss") == FisherReference().at(model).at("loss")) return each;
  throw std::out_of_range("no case of " + model);
}

AnalyzeOptions OptionsOf(const GaussNewtonCase& test) {
  AnalyzeOptions options;
  options.weight_bits = {3, 8, 32};
  options.activation_bits = {4, 8, 16, 32};
  options.measures = {Measure::Fisher};
  options.loss = test.Kind();
  return options;
}

/// The tensors that some sites hold in one run, each once, in order of execution.
class SiteRecorder : public Probe {
 public:
  explicit SiteRecorder(std::set<int> sites) : sites_(std::move(sites)) {}
  at::Tensor Visit(int site, const at::Tensor& value) override {
    const bool known =
        std::any_of(visits.begin(), visits.end(), [&](const auto& visit) { return visit.second.is_same(value); });
    if (sites_.contains(site) && !known) visits.emplace_back(site, value);
    return value;
  }
  std::vector<std::pair<int, at::Tensor>> visits;

 private:
  std::set<int> sites_;
};

/// Mean and standard error of some samples' values, float64 [N].
void ExpectEstimate(const Estimate& actual, const at::Tensor& values) {
  const double mean = values.mean().item<double>();
  const auto samples = static_cast<double>(values.numel());
  EXPECT_NEAR(actual.value, mean, 1e-3 * mean);  // 1e-4 of the curvature in the outputs is cut
  EXPECT_NEAR(actual.standard_error, values.std().item<double>() / std::sqrt(samples), 2e-3 * mean);
}

class Fisher : public testing::TestWithParam<std::string> {};

TEST_P(Fisher, OfInputsIsTheDenseDiagonalTimesTheSquaredErrors) {
  const GaussNewtonCase test = FisherCase(GetParam());
  const Network network = test.Load();
  const Dataset data = test.Samples();
  const AnalyzeOptions options = OptionsOf(test);
  const Sensitivity sensitivity = Analyze(network, data, options);
  EXPECT_TRUE(sensitivity.Has(Measure::Fisher));
  const auto statistics = ActivationStatistics::Collect(network, data, 100);
  for (const nlohmann::json& group : FisherReference().at(GetParam()).at("groups")) {
    const auto names = group.at("layers").get<std::vector<std::string>>();
    std::set<int> sites;
    for (const std::string& name : names)
      for (const LayerUse& use : network.layers()[static_cast<std::size_t>(LayerOf(network, name))].uses)
        sites.insert(use.input_site);
    SiteRecorder recorder(sites);
    network.Forward(data.Get(0, data.size()).inputs, network.ParameterValues(), &recorder);
    ASSERT_EQ(recorder.visits.size(), group.at("diagonals").size());
    for (std::size_t member = 0; member < names.size(); ++member) {
      SCOPED_TRACE(names[member]);
      const auto& choices =
          sensitivity.layers[static_cast<std::size_t>(LayerOf(network, names[member]))].activation_choices;
      ASSERT_EQ(choices.size(), 4U);
      for (const Perturbation& choice : choices) {
        if (choice.bits == 32) continue;
        if (member > 0) {
          EXPECT_EQ(choice.figures.at(Measure::Fisher).value, 0) << "the first layer's choice has it all";
          continue;
        }
        at::Tensor of_samples = torch::zeros({data.size()}, torch::kDouble);
        for (std::size_t call = 0; call < recorder.visits.size(); ++call) {
          const auto& [site, x] = recorder.visits[call];
          const Format format = options.activation_format.WithBits(choice.bits);
          const ActivationRange range = format.IsInteger() ? statistics.Range(site, format) : ActivationRange{};
          const at::Tensor change =
              (FakeQuantize(x, format, range) - x).to(torch::kDouble).movedim(group.at("batch_axis").get<int>(), 0);
          const at::Tensor diagonal =
              torch::tensor(group.at("diagonals")[call].get<std::vector<double>>(), torch::kDouble);
          of_samples += (diagonal.view({data.size(), -1}) * change.flatten(1).square()).sum(1) / 2;
        }
        ExpectEstimate(choice.figures.at(Measure::Fisher), of_samples);
      }
    }
  }
}

TEST_P(Fisher, OfWeightsIsTheDenseDiagonalTimesTheSquaredErrors) {
  const GaussNewtonCase test = FisherCase(GetParam());
  const Network network = test.Load();
  const AnalyzeOptions options = OptionsOf(test);
  const Sensitivity sensitivity = Analyze(network, test.Samples(), options);
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    const Layer& layer = network.layers()[i];
    const nlohmann::json& expected = test.Expected().at("weights").at(layer.name + ".weight");
    const at::Tensor diagonal = torch::tensor(expected.at("diagonal").get<std::vector<double>>(), torch::kDouble);
    for (const Perturbation& choice : sensitivity.layers[i].weight_choices) {
      if (choice.bits == 32) continue;
      const at::Tensor weight = network.Weight(layer);
      const at::Tensor change =
          QuantizeWeight(weight, options.weight_format.WithBits(choice.bits), layer.channel_axis).value - weight;
      const double figure = (diagonal * change.flatten().to(torch::kDouble).square()).sum().item<double>() / 2;
      EXPECT_NEAR(choice.figures.at(Measure::Fisher).value, figure, 1e-3 * figure) << layer.name;
      EXPECT_GT(choice.figures.at(Measure::Fisher).standard_error, 0);
    }
  }
}

TEST_P(Fisher, FormsOfOnesAreTheTraceWithItsStandardError) {
  const GaussNewtonCase test = FisherCase(GetParam());
  GaussNewtonOptions options;
  options.loss = test.Kind();
  options.cut = 0;
  const Network network = test.Load();
  const GaussNewton matrix = GaussNewton::Compute(network, test.Samples(), options);
  for (std::size_t i = 0; i < matrix.layers().size(); ++i) {
    const Layer& layer = network.layers()[i];
    const auto of_samples =
        test.Expected().at("weights").at(layer.name + ".weight").at("sample_traces").get<std::vector<double>>();
    const at::Tensor ones = torch::ones_like(network.Weight(layer));
    const std::vector<Estimate> forms = matrix.DiagonalForms(i, at::stack({ones, 3 * ones}));
    ExpectEstimate(forms[0], torch::tensor(of_samples, torch::kDouble));
    EXPECT_NEAR(forms[1].value, 3 * forms[0].value, 1e-5 * forms[1].value);
  }
}

TEST_P(Fisher, IsTheSameFromSmallChunks) {
  const GaussNewtonCase test = FisherCase(GetParam());
  AnalyzeOptions options = OptionsOf(test);
  const Sensitivity whole = Analyze(test.Load(), test.Samples(), options);
  options.memory_bytes = 1;
  EXPECT_THAT(MessageOf([&] { Analyze(test.Load(), test.Samples(), options); }),
              HasSubstr("the memory limit is 0.0 MiB, and finding the scales of layer '"));
  // The least that both kinds of tensors accept.
  for (options.memory_bytes = 1 << 10; options.memory_bytes < (1 << 24); options.memory_bytes *= 2) try {
      const Sensitivity parts = Analyze(test.Load(), test.Samples(), options);
      for (std::size_t i = 0; i < whole.layers.size(); ++i) {
        const Estimate expected = whole.layers[i].activation_choices[0].figures.at(Measure::Fisher);
        const Estimate actual = parts.layers[i].activation_choices[0].figures.at(Measure::Fisher);
        EXPECT_NEAR(actual.value, expected.value, 1e-5 * expected.value);
        EXPECT_NEAR(actual.standard_error, expected.standard_error, 1e-4 * expected.value);
      }
      return;
    } catch (const Error&) {
    }
  FAIL() << "no limit was enough";
}

TEST_P(Fisher, MakesProblemsWithChoicesOfActivations) {
  const GaussNewtonCase test = FisherCase(GetParam());
  const Sensitivity sensitivity = Analyze(test.Load(), test.Samples(), OptionsOf(test));
  ProblemOptions options;
  options.measure = Measure::Fisher;
  options.budgets = {ParseBudget("bops=10%")};
  const Problem problem = MakeProblem(sensitivity, options);
  EXPECT_GT(problem.groups.front().choices.size(), 3U);
}

TEST(FisherOfInputs, LeavesOutWhatNoSampleReaches) {
  const TemporaryFolder folder;
  const std::vector<float> numbers = {1, 2, -3, 0.5, -1, 0.25, 2, -2, 1.5, 0, 0.75, -0.3F};
  WriteFile(folder / "vectors.npy", test::NpyOfFloats({4, 3}, numbers));
  const Dataset data = Dataset::Load("npy:" + (folder / "vectors.npy").string(), {});
  AnalyzeOptions options;
  options.weight_bits = {4, 32};
  options.activation_bits = {4, 32};
  options.measures = {Measure::Fisher};
  options.loss = Loss::Divergence;
  const at::Tensor weight = torch::arange(6, at::kFloat).view({2, 3}).sin();
  const auto analyze = [&](const std::string& forward) {
    return Analyze(ScriptedNetwork(forward, weight), data, options);
  };
  const Sensitivity plain = analyze("def forward(self, x):\n  return torch.linear(x, self.weight)\n");
  const Sensitivity branched = analyze(
      "def forward(self, x):\n  if x.size(0) > 1000:\n    y = torch.linear(2 * x, self.weight)\n  else:\n"
      "    y = torch.linear(x, self.weight)\n  return y\n");
  ASSERT_EQ(branched.layers.size(), 1U);
  const Perturbation &expected = plain.layers[0].activation_choices[0],
                     &found = branched.layers[0].activation_choices[0];
  EXPECT_GT(expected.figures.at(Measure::Fisher).value, 0);
  EXPECT_DOUBLE_EQ(found.figures.at(Measure::Fisher).value, expected.figures.at(Measure::Fisher).value);
}

INSTANTIATE_TEST_SUITE_P(Models, Fisher,
                         testing::Values("ReluConv", "Residual", "SharedWeight", "Attention", "TimeFirst"));

TEST(FisherOfALayerThatIsNeverRun, IsZero) {
  AnalyzeOptions options;
  options.activation_bits = {8, 32};
  options.measures = {Measure::Fisher};
  const Sensitivity sensitivity = Analyze(LoadModel("DeadBranch"), LoadSamples("DeadBranch"), options);
  EXPECT_TRUE(sensitivity.Has(Measure::Fisher));
  for (const LayerSensitivity& layer : sensitivity.layers) {
    const double figure = layer.weight_choices[0].figures.at(Measure::Fisher).value;
    EXPECT_EQ(figure == 0, layer.name == "never") << layer.name;
  }
}

}  // namespace
}  // namespace bitplan::hessian
