#include "bitplan/run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "bitplan/error.h"
#include "bitplan/evaluate.h"
#include "bitplan/profile.h"
#include "data/options_fields.h"
#include "files/kept_options.h"
#include "network/options_fields.h"
#include "options_fields.h"

namespace bitplan {

namespace {

/// The uniform plan to compare with, or nothing when no width fits the budgets.
std::vector<QuantizedNetwork> WidestUniformNetwork(const Network& network, const RunResult& result,
                                                   const Dataset& calibration, const RunOptions& options,
                                                   std::optional<LayerBits>& bits) {
  std::vector<int> weight_bits;
  std::copy_if(kAllWidths.begin(), kAllWidths.end(), std::back_inserter(weight_bits),
               [&](int width) { return result.sensitivity.weight_format.HasWidth(width); });
  const LayerBits widest =
      WidestUniform(result.sensitivity, result.problem.budgets, weight_bits, options.analyze.activation_bits);
  if (widest.weight_bits == 0) return {};
  bits = widest;
  Plan plan = MakeUniformPlan(result.sensitivity, widest.weight_bits, widest.activation_bits);
  plan.corrections = options.corrections;
  return {QuantizedNetwork::Create(network, plan, calibration, options.quantize)};
}

void AddAllCosts(const Network& network, const Dataset& data, const RunOptions& options, Sensitivity& sensitivity) {
  AddNetworkCosts(network, data.Get(0, 1, at::Device(network.device())).inputs, sensitivity);
  AddCosts(sensitivity, options.costs);
}

/// Whether any plan fits, found out before the long analysis; also refuses pins and budgets that make no sense. Without
/// a plan `result` says why.
bool FitsBudgets(const Network& network, const Dataset& data, const RunOptions& options, RunResult& result) {
  Sensitivity outline = Outline(network, data, options.analyze);
  AddAllCosts(network, data, options, outline);
  ProblemOptions problem_options = options.problem;
  problem_options.measure = Measure::WeightError;
  problem_options.joint = false;
  Problem problem = MakeProblem(outline, problem_options);
  if (options.choose.candidates > 1 && options.choose.distance > std::ssize(problem.groups))
    throw Error(fmt::format("candidates are to differ in {} groups, but there are {} groups", options.choose.distance,
                            problem.groups.size()));
  SearchOptions search_options = options.search;
  search_options.method = StandIn(search_options.method, problem_options.joint);
  Solution solution = Search(problem, search_options);
  if (!solution.choices.empty()) return true;
  result.sensitivity = outline;
  result.problem = std::move(problem);
  result.solution = std::move(solution);
  return false;
}

/// Those of Search, the agent, and the caller's own.
SearchRegistry SearchesOf(const RunOptions& options, const AgentOptions& agent, const CurveCallback& curve) {
  SearchRegistry searches;
  AddAgent(searches, agent, curve);
  for (const auto& own : options.searches) searches.Add(own);
  return searches;
}

Solution FindPlan(const Network& network, const Dataset& calibration, const std::optional<Dataset>& held_out,
                  const RunOptions& options, RunResult& result) {
  AgentOptions agent = options.agent;
  if (options.measured_reward && options.search.method == kAgentMethod) {
    agent.measured_loss = MeasuredLoss(network, result.sensitivity, result.problem, calibration, *held_out,
                                       options.quantize, options.choose.loss);
    agent.measured_by = files::Json{{"network", files::IdentityOf(network)},
                                    {"calibration", files::IdentityOf(calibration)},
                                    {"held_out", files::IdentityOf(*held_out)},
                                    {"quantize", files::OptionsJson(options.quantize, {"progress", "memory_bytes"})},
                                    {"loss", ToString(options.choose.loss)}}
                            .dump();
  }
  const auto keep_curve = [&](const std::vector<AgentEpisode>& episodes) { result.episodes = episodes; };
  return SearchesOf(options, agent, keep_curve).Solve(result.problem, options.search);
}

/// What the options that several stages share come to.
RunOptions Shared(const RunOptions& given) {
  RunOptions options = given;
  options.analyze.measures = MeasuresFor(options.problem);
  options.analyze.channel_correction = options.corrections.output != OutputCorrection::None;
  options.analyze.keep_shifts = options.analyze.keep_shifts || options.problem.joint;
  options.analyze.seed = options.seed;
  options.analyze.batch_size = options.quantize.batch_size = options.batch_size;
  options.analyze.memory_bytes = options.quantize.memory_bytes = options.memory_bytes;
  for (ProgressCallback* of_stage : {&options.analyze.progress, &options.search.progress, &options.quantize.progress,
                                     &options.agent.progress, &options.choose.progress})
    if (!*of_stage) *of_stage = options.progress;
  options.agent.certificate = options.search.Limits();
  options.choose.search = options.search;
  options.choose.loss = options.analyze.loss;
  options.choose.search.method = StandIn(options.search.method, options.problem.joint);
  options.choose.quantize = options.quantize;
  options.choose.quantize.progress = {};  // a bar for each plan would hide how many are left
  return options;
}

/// What the caller set and what counts are the same.
void RequireKept(const RunOptions& given, const RunOptions& used) {
  files::RequireKept("analyze", given.analyze, used.analyze);
  files::RequireKept("search", given.search, used.search);
  files::RequireKept("agent", given.agent, used.agent);
  files::RequireKept("choose", given.choose, used.choose);
  files::RequireKept("quantize", given.quantize, used.quantize);
  if (given.measured_reward && (given.agent.measured_loss || !given.agent.measured_by.empty()))
    throw Error("agent.measured_loss is set, and measured_reward has a run measure losses itself: give one of them");
}

bool BudgetsFileSize(const ProblemOptions& problem) {
  return std::any_of(problem.budgets.begin(), problem.budgets.end(),
                     [](const BudgetSpec& budget) { return budget.cost == "file_size_bytes"; });
}

}  // namespace

void RunOptions::Validate() const {
  const RunOptions used = Shared(*this);
  used.analyze.Validate();
  used.search.Validate();
  used.agent.Validate();
  used.quantize.Validate();
  used.choose.Validate();
  RequireKept(*this, used);
  corrections.Validate();
  if (choose.Wanted() && !problem.prices.empty())
    throw Error("plans of a problem with prices cannot be chosen by measuring: it is the loss alone that is measured");
  const SearchRegistry registry = SearchesOf(*this, {}, {});
  if (const SearchTraits traits = registry.Get(search.method).traits(); problem.joint && !traits.takes_joint_term)
    throw Error(fmt::format("a joint plan is searched by the methods {}, not {}",
                            fmt::join(registry.NamesForJointTerms(), " and "), search.method));
  if (corrections.outlier_threshold > 0 && BudgetsFileSize(problem))
    throw Error(
        "file_size cannot be budgeted with an outlier threshold: how many columns stay in float16 is known only after "
        "the search");
  if (resamples != 0) BootstrapOptions{.resamples = resamples}.Validate();
  if (calibration_samples < 2)
    throw Error(fmt::format("calibration samples: {} given, at least 2 needed", calibration_samples));
}

RunResult Run(const Network& network, const Dataset& data, const Dataset& test, const RunOptions& given,
              const std::optional<Dataset>& held_out) {
  given.Validate();
  RunOptions options = Shared(given);
  if ((options.choose.Wanted() || options.measured_reward) && !held_out)
    throw Error("plans are to be measured, but there are no held-out samples to measure them on");

  options.choose.loss = ResolveLoss(network, data, options.analyze.loss, options.analyze.temperature).loss;
  EvaluationCriterion(network, test, options.analyze.loss);  // refuses it now, if at all

  RunResult result;
  if (!FitsBudgets(network, data, options, result)) return result;
  result.sensitivity = Analyze(network, data, options.analyze);
  AddAllCosts(network, data, options, result.sensitivity);
  result.problem = MakeProblem(result.sensitivity, options.problem);
  const Dataset calibration = data.First(options.calibration_samples);
  result.solution = FindPlan(network, calibration, held_out, options, result);
  if (result.solution.choices.empty()) return result;
  if (options.choose.Wanted()) {
    result.choice = ChooseByMeasuring(network, result.sensitivity, result.problem, result.solution, calibration,
                                      *held_out, options.choose);
    result.solution = WithChoices(result.problem, result.solution, result.choice->Best().choices);
  }
  result.plan = MakePlan(result.sensitivity, result.problem, result.solution, options.problem.measure);
  result.plan.corrections = options.corrections;
  if (options.resamples > 0) {
    SearchOptions search = options.choose.search;
    search.time_limit_seconds -= result.solution.seconds;
    result.plan.stability = ResamplePlan(result.sensitivity, options.problem, search, result.solution.choices,
                                         {{.resamples = options.resamples, .seed = options.seed}, options.progress});
  }

  result.quantized = {QuantizedNetwork::Create(network, result.plan, calibration, options.quantize)};
  result.evaluation.correction_gain = CrossValidateCorrection(result.quantized.front(), calibration, options.quantize);
  std::vector<QuantizedNetwork> compared = result.quantized;
  for (QuantizedNetwork& uniform :
       WidestUniformNetwork(network, result, calibration, options, result.evaluation.uniform_bits))
    compared.push_back(std::move(uniform));

  const std::vector<Evaluation> measured = Evaluate(network, compared, test, {options.batch_size, options.memory_bytes},
                                                    options.progress, options.analyze.loss);
  result.evaluation.model_sha256 = network.sha256();
  result.evaluation.data_sha256 = test.sha256();
  result.evaluation.float_network = measured[0];
  result.evaluation.planned = measured[1];
  result.evaluation.planned_widths = WidthsOf(result.plan);
  if (measured.size() > 2) result.evaluation.uniform = measured[2];
  result.plan.measured = measured[1];
  return result;
}

}  // namespace bitplan
