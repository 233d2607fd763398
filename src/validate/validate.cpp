#include "bitplan/validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <random>
#include <utility>

#include "bitplan/cost.h"
#include "bitplan/error.h"
#include "bitplan/evaluate.h"
#include "bitplan/plan.h"
#include "bitplan/search.h"
#include "bitplan/statistics.h"
#include "files/kept_options.h"
#include "hessian/options_fields.h"
#include "quantize/options_fields.h"
#include "statistics/draw_uniform.h"
#include "tuning.h"

namespace bitplan {

namespace {

using statistics::DrawUniform;

/// At the most: values, codes, and values with their gains.
std::int64_t BytesOfPlan(const Network& network) {
  constexpr std::int64_t kBytesOfWeight = 9;
  std::int64_t weights = 1;
  for (const Layer& layer : network.layers()) weights += network.Weight(layer).numel();
  return kBytesOfWeight * weights;
}

/// A measure's problem: what it charges for a plan is its prediction.
struct Predictor {
  std::string name;
  Problem problem;
};

std::vector<Predictor> MakePredictors(const Sensitivity& sensitivity, const std::vector<Measure>& measures) {
  std::vector<Predictor> predictors;
  const auto add = [&](const ProblemOptions& options) {
    predictors.push_back({fmt::format("{}{}{}", ToString(options.measure), options.shrink ? ", shrunk" : "",
                                      options.joint ? ", joint" : ""),
                          MakeProblem(sensitivity, options)});
  };
  for (const Measure measure : measures) {
    if (!sensitivity.Has(measure)) continue;
    add({.measure = measure, .shrink = false, .budgets = {}, .pins = {}});
    if (measure == ProblemOptions().measure) add({.measure = measure, .budgets = {}, .pins = {}});
    if (CanBeJoint(sensitivity, measure) && sensitivity.Has(Measure::GaussNewton))
      add({.measure = measure, .joint = true, .shrink = false, .budgets = {}, .pins = {}});
  }
  return predictors;
}

bool QuantizesActivations(const AnalyzeOptions& options) {
  return std::any_of(options.activation_bits.begin(), options.activation_bits.end(),
                     [](int bits) { return bits < 32; });
}

/// How likely each width is in one plan.
using WidthShares = std::map<int, double>;

/// A width's share not drawn before is drawn now; together they are uniform over the simplex, but for their sum.
double ShareOf(int width, WidthShares& shares, std::mt19937_64& random) {
  const auto [share, inserted] = shares.try_emplace(width, 0);
  if (inserted) share->second = -std::log(DrawUniform(random));
  return share->second;
}

/// Every plan has shares of the widths of its own, uniform over the simplex, and draws each layer's from them: so plans
/// are of all sizes, as those are that a search has to tell apart, and not all of about the mean width.
std::vector<std::size_t> DrawChoices(const Problem& problem, std::mt19937_64& random) {
  WidthShares of_weights, of_activations;
  std::vector<std::size_t> choices;
  for (const Group& group : problem.groups) {
    std::vector<double> sums;  // of the likelihoods up to each choice
    for (const Choice& choice : group.choices) {
      const std::vector<LayerBits> bits = BitsOfChoice(group, choice);
      double likelihood = ShareOf(bits.front().activation_bits, of_activations, random);
      for (const LayerBits& member : bits) likelihood *= ShareOf(member.weight_bits, of_weights, random);
      sums.push_back((sums.empty() ? 0 : sums.back()) + likelihood);
    }
    const double drawn = DrawUniform(random) * sums.back();
    choices.push_back(static_cast<std::size_t>(std::upper_bound(sums.begin(), sums.end() - 1, drawn) - sums.begin()));
  }
  return choices;
}

/// The values at some positions.
std::vector<double> Pick(const std::vector<double>& values, const std::vector<std::size_t>& positions) {
  std::vector<double> picked;
  for (const std::size_t position : positions) picked.push_back(values[position]);
  return picked;
}

/// Of the loss that one's own module gives, else of the divergence.
double RiseOf(const Evaluation& quantized, const Evaluation& float_network) {
  return quantized.loss_module.empty() ? quantized.divergence : quantized.loss - float_network.loss;
}

void Keep(const Evaluation& tested, DrawnPlan& plan) {
  if (!tested.loss_module.empty() || tested.outputs == OutputKind::Values)
    plan.test_error = tested.loss;
  else
    plan.accuracy = tested.accuracy;
  plan.metric = tested.metric;
}

/// Positions of the smaller half.
std::vector<std::size_t> SmallHalf(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  order.resize((values.size() + 1) / 2);
  return order;
}

void Judge(Validation& validation) {
  std::vector<double> rises, errors;
  for (const DrawnPlan& plan : validation.plans) {
    rises.push_back(plan.rise);
    if (plan.accuracy) errors.push_back(1 - *plan.accuracy);
    if (plan.test_error) errors.push_back(*plan.test_error);
  }
  const std::vector<std::size_t> small = SmallHalf(rises);
  for (Agreement& agreement : validation.agreements) {
    agreement.spearman = Spearman(agreement.predictions, rises);
    agreement.kendall = KendallTau(agreement.predictions, rises);
    agreement.spearman_small = Spearman(Pick(agreement.predictions, small), Pick(rises, small));
    agreement.kendall_small = KendallTau(Pick(agreement.predictions, small), Pick(rises, small));
    if (errors.size() == rises.size()) agreement.spearman_accuracy = Spearman(agreement.predictions, errors);
  }
  std::stable_sort(validation.agreements.begin(), validation.agreements.end(),
                   [](const Agreement& a, const Agreement& b) { return a.spearman > b.spearman; });
}

/// What the options that several stages share come to.
ValidateOptions Shared(const ValidateOptions& given) {
  ValidateOptions options = given;
  options.analyze.seed = options.seed;
  options.analyze.batch_size = options.quantize.batch_size = options.batch_size;
  options.analyze.memory_bytes = options.quantize.memory_bytes = options.memory_bytes;
  options.analyze.keep_shifts = true;
  for (ProgressCallback* of_stage : {&options.analyze.progress, &options.quantize.progress})
    if (!*of_stage) *of_stage = options.progress;
  return options;
}

}  // namespace

void ValidateOptions::Validate() const {
  const ValidateOptions used = Shared(*this);
  used.analyze.Validate();
  used.quantize.Validate();
  files::RequireKept("analyze", analyze, used.analyze);
  files::RequireKept("quantize", quantize, used.quantize);
  if (plans < 10) throw Error(fmt::format("{} plans asked for, at least 10 are needed", plans));
}

Validation Validate(const Network& network, const Dataset& data, const std::optional<Dataset>& test,
                    const ValidateOptions& given) {
  given.Validate();
  ValidateOptions options = Shared(given);
  const Criterion criterion = ResolveLoss(network, data, options.analyze.loss, options.analyze.temperature);
  options.analyze.keep_shifts = criterion.outputs != OutputKind::Several;
  if (test && !ResolveLoss(network, *test, options.analyze.loss, options.analyze.temperature).ReadsLabels())
    throw Error(
        "the test data has no labels that fit the network's output, so that there is no accuracy to compare with");
  const Sensitivity sensitivity = Analyze(network, data, options.analyze);
  const std::vector<Predictor> predictors = MakePredictors(sensitivity, options.analyze.measures);
  if (predictors.empty()) throw Error("none of the measures has figures for every layer");
  const Problem& problem = predictors.front().problem;
  if (problem.ChoiceCount() == problem.groups.size())
    throw Error("every layer has one width only: there is one plan, nothing to compare");

  Validation validation{network.sha256(), data.sha256(), options.seed, {}, {}, {}};
  for (const Group& group : problem.groups) validation.groups.push_back(group.name);
  for (const Predictor& predictor : predictors)
    validation.agreements.push_back({predictor.name, {}, 0, 0, 0, 0, std::nullopt});
  std::mt19937_64 random(options.seed);
  const Calibration calibration =
      Calibration::Collect(network, data, QuantizesActivations(options.analyze), options.quantize);
  const PassLimits limits(options.batch_size, options.memory_bytes);
  const std::int64_t together =
      std::clamp<std::int64_t>(limits.memory_bytes / 2 / BytesOfPlan(network), 1, validate::tuning::kPlansTogether);
  while (std::ssize(validation.plans) < options.plans) {
    const std::size_t first = validation.plans.size();
    std::vector<QuantizedNetwork> quantized;
    for (int i = 0; i < together && std::ssize(validation.plans) < options.plans; ++i) {
      Solution solution;
      solution.choices = DrawChoices(problem, random);
      quantized.push_back(QuantizedNetwork::Create(
          network, MakePlan(sensitivity, problem, solution, options.analyze.measures.front()), calibration));
      DrawnPlan& drawn = validation.plans.emplace_back();
      for (std::size_t g = 0; g < problem.groups.size(); ++g)
        drawn.choices.push_back(problem.groups[g].choices[solution.choices[g]].name);
      for (std::size_t k = 0; k < predictors.size(); ++k)
        validation.agreements[k].predictions.push_back(ObjectiveOf(predictors[k].problem, solution.choices));
    }
    const std::vector<Evaluation> measured = Evaluate(network, quantized, data, limits, {}, options.analyze.loss);
    for (std::size_t i = 0; i < quantized.size(); ++i)
      validation.plans[first + i].rise = RiseOf(measured[1 + i], measured[0]);
    if (test) {
      const std::vector<Evaluation> tested = Evaluate(network, quantized, *test, limits, {}, options.analyze.loss);
      for (std::size_t i = 0; i < quantized.size(); ++i) Keep(tested[1 + i], validation.plans[first + i]);
    }
    Report(options.progress, "random plans", std::ssize(validation.plans), options.plans);
  }
  Judge(validation);
  return validation;
}

}  // namespace bitplan
