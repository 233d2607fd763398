#include "bitplan/stability.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "bitplan/error.h"

namespace bitplan {

namespace {

constexpr double kEqual = 1e-4;  // relative difference of predicted losses that says nothing

bool HasContributions(const Sensitivity& sensitivity, Measure measure) {
  if (!sensitivity.contributions || sensitivity.contributions->samples < 2) return false;
  const std::vector<Measure>& measures = sensitivity.contributions->measures;
  return std::find(measures.begin(), measures.end(), measure) != measures.end();
}

/// Mean of values that count several times, and its standard error.
Estimate WeightedMean(const double* values, const SampleCounts& counts) {
  double sum = 0, squares = 0, all = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    sum += static_cast<double>(counts[i]) * values[i];
    all += static_cast<double>(counts[i]);
  }
  const double mean = sum / all;
  for (std::size_t i = 0; i < counts.size(); ++i) squares += static_cast<double>(counts[i]) * (values[i] - mean) * (values[i] - mean);
  return {mean, std::sqrt(squares / (all - 1) / all)};
}

}  // namespace

Sensitivity Resample(const Sensitivity& sensitivity, const SampleCounts& counts) {
  if (!sensitivity.contributions) throw Error("there is nothing to resample: the sensitivity has no contributions of samples");
  const Contributions& table = *sensitivity.contributions;
  if (counts.size() != table.samples) throw Error(fmt::format("{} counts were given for {} samples", counts.size(), table.samples));
  Sensitivity result = sensitivity;
  const double* values = table.values.data();
  for (const Measure measure : table.measures)
    for (LayerSensitivity& layer : result.layers)
      for (const auto kind : {&LayerSensitivity::weight_choices, &LayerSensitivity::activation_choices})
        for (Perturbation& choice : layer.*kind) {
          if (choice.bits == 32) continue;
          choice.figures[measure] = WeightedMean(values, counts);
          values += table.samples;
        }
  return result;
}

std::optional<BootstrapStability> ResamplePlan(const Sensitivity& sensitivity, const ProblemOptions& problem, const SearchOptions& search,
                                      const std::vector<std::size_t>& choices, const StabilityOptions& options) {
  if (problem.joint || !HasContributions(sensitivity, problem.measure)) return std::nullopt;
  SearchOptions quick = search;
  quick.gap = std::max(search.gap, kEqual / 2);
  quick.progress = {};
  BootstrapStability result;
  result.resamples = options.bootstrap.resamples;
  const double weight = 1 / static_cast<double>(result.resamples);
  std::int64_t done = -1;  // the first is that of the samples as they are
  const auto compare = [&](const SampleCounts& counts) {
    if (++done == 0) return std::vector<double>{0};
    Report(options.progress, "resampled plans", done, result.resamples);
    const Problem again = MakeProblem(Resample(sensitivity, counts), problem);
    const Solution best = Search(again, quick);
    if (best.choices.empty()) throw Error("a resampled problem was not solved within the time limit");
    const double above = std::max(0.0, ObjectiveOf(again, choices) - best.objective) / std::max(std::abs(best.objective), 1e-300);
    if (above <= kEqual) result.best += weight;
    result.regret += weight * above;
    for (std::size_t i = 0; i < choices.size(); ++i) {
      const Group& group = again.groups[i];
      const std::vector<LayerBits> chosen = BitsOfChoice(group, group.choices[choices[i]]), other = BitsOfChoice(group, group.choices[best.choices[i]]);
      for (std::size_t k = 0; k < chosen.size(); ++k) {
        const bool same = chosen[k].weight_bits == other[k].weight_bits && chosen[k].activation_bits == other[k].activation_bits;
        result.kept[chosen[k].layer] += same ? weight : 0;
      }
    }
    return std::vector<double>{above};
  };
  Bootstrap(sensitivity.contributions->samples, compare, options.bootstrap);
  return result;
}

}  // namespace bitplan
