#include "bitplan/choose.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <numeric>

#include "bitplan/error.h"
#include "bitplan/robustness.h"
#include "exchange_model.h"
#include "plan_meter.h"
#include "search/outcome.h"
#include "trials.h"

namespace bitplan {

namespace {

void Check(const Problem& problem, const Dataset& held_out) {
  problem.Validate();
  if (!problem.prices.empty())
    throw Error("plans of a problem with prices cannot be chosen by measuring: it is the loss alone that is measured");
  if (held_out.size() < 2)
    throw Error(fmt::format("plans are measured on {} held-out sample; at least 2 are needed for a standard error",
                            held_out.size()));
}

/// The best plan, and the next best ones that differ in enough groups.
void TryCandidates(const Problem& problem, const Solution& best, const ChooseOptions& options, choose::Trials& trials) {
  std::vector<std::vector<std::size_t>> found;
  for (std::vector<std::size_t> next = best.choices; !next.empty();) {
    trials.Try(TrialOrigin::Candidate, next);
    found.push_back(std::move(next));
    Report(options.progress, "measuring candidates", std::ssize(found), options.candidates);
    if (std::ssize(found) == options.candidates) return;
    next = BestOtherPlan(problem, found, static_cast<std::size_t>(options.distance), options.search).choices;
  }
}

}  // namespace

void ChooseOptions::Validate() const {
  if (candidates < 1) throw Error(fmt::format("candidates is {}, must be at least 1", candidates));
  if (distance < 1) throw Error(fmt::format("distance is {}, must be at least 1", distance));
  if (refine < 0) throw Error(fmt::format("refine is {}, must be at least 0", refine));
  if (model_samples < 2) throw Error(fmt::format("model_samples is {}, must be at least 2", model_samples));
  search.Validate();
  quantize.Validate();
}

MeasuredChoice ChooseByMeasuring(const Network& network, const Sensitivity& sensitivity, const Problem& problem,
                                 const Solution& best, const Dataset& calibration, const Dataset& held_out,
                                 const ChooseOptions& options) {
  options.Validate();
  Check(problem, held_out);
  const choose::PlanMeter meter(network, sensitivity, problem, calibration, held_out, options.quantize, options.loss);
  choose::Trials trials(problem, [&](const std::vector<std::size_t>& choices) { return meter.Divergences(choices); });
  TryCandidates(problem, best, options, trials);
  if (options.refine > 0) {
    const Dataset few = calibration.First(options.model_samples);
    const choose::PlanMeter model(network, sensitivity, problem, few, few, options.quantize, options.loss);
    const auto rank = [&](const std::vector<std::size_t>& choices) {
      return choose::PredictExchanges(model, problem, choices, options.progress);
    };
    choose::Refine(trials, options.refine, rank, options.progress);
  }
  return trials.result();
}

std::function<double(const std::vector<std::size_t>& choices)> MeasuredLoss(
    const Network& network, const Sensitivity& sensitivity, const Problem& problem, const Dataset& calibration,
    const Dataset& samples, const QuantizeOptions& options, Loss loss) {
  return [meter = choose::PlanMeter(network, sensitivity, problem, calibration, samples, options, loss)](
             const std::vector<std::size_t>& choices) {
    const std::vector<double> losses = meter.Divergences(choices);
    const double mean = std::accumulate(losses.begin(), losses.end(), 0.0) / static_cast<double>(losses.size());
    return std::max(mean, 0.0);  // rounding may leave it below zero
  };
}

Solution WithChoices(const Problem& problem, const Solution& solution, const std::vector<std::size_t>& choices) {
  Solution changed = search::Describe(
      problem, {choices, ObjectiveOf(problem, choices), solution.bound, solution.nodes, false, solution.shadow_prices},
      0);
  changed.method = solution.method;
  changed.seconds = solution.seconds;
  return changed;
}

}  // namespace bitplan
