#include "bitplan/stability.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>

#include "bitplan/error.h"
#include "cost/joint_term.h"
#include "search/warm_start.h"

namespace bitplan {

namespace {

constexpr double kEqual = 1e-4;  // relative difference of predicted losses that says nothing

constexpr std::int64_t kMostNodes = 200;  // of a joint problem's tree

/// Thrown where no time is left for another resample.
struct TimeIsUp {};

/// Seconds that are left of a limit which begins with it.
class TimeLeft {
 public:
  explicit TimeLeft(double seconds) : seconds_(seconds) {}
  double operator()() const {
    return seconds_ - std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }

 private:
  double seconds_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

bool HasContributions(const Sensitivity& sensitivity, Measure measure) {
  if (!sensitivity.contributions || sensitivity.contributions->samples < 2) return false;
  const std::vector<Measure>& measures = sensitivity.contributions->measures;
  return std::find(measures.begin(), measures.end(), measure) != measures.end();
}

/// Where labels are ignored samples may have unequal numbers of predictions, which the shifts do not tell apart.
bool HaveEqualPredictions(const Sensitivity& sensitivity) {
  return !sensitivity.shifts || !sensitivity.contributions || sensitivity.contributions->samples == 0 ||
         sensitivity.shifts->samples % sensitivity.contributions->samples == 0;
}

bool CanResample(const Sensitivity& sensitivity, const ProblemOptions& problem) {
  return HasContributions(sensitivity, problem.measure) &&
         (!problem.joint ||
          (HasContributions(sensitivity, JointFigure(problem.measure)) && HaveEqualPredictions(sensitivity)));
}

/// Mean of values that count several times, and its standard error.
Estimate WeightedMean(const double* values, const SampleCounts& counts) {
  double sum = 0, squares = 0, all = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    sum += static_cast<double>(counts[i]) * values[i];
    all += static_cast<double>(counts[i]);
  }
  const double mean = sum / all;
  for (std::size_t i = 0; i < counts.size(); ++i)
    squares += static_cast<double>(counts[i]) * (values[i] - mean) * (values[i] - mean);
  return {mean, std::sqrt(squares / (all - 1) / all)};
}

std::vector<LayerBits> AllBits(const Problem& problem, const std::vector<std::size_t>& choices) {
  std::vector<LayerBits> all;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    const std::vector<LayerBits> of_group = BitsOfChoice(problem.groups[i], problem.groups[i].choices[choices[i]]);
    all.insert(all.end(), of_group.begin(), of_group.end());
  }
  return all;
}

}  // namespace

Sensitivity Resample(Sensitivity sensitivity, const Contributions& table, const SampleCounts& counts) {
  if (counts.size() != table.samples)
    throw Error(fmt::format("{} counts were given for {} samples", counts.size(), table.samples));
  const double* values = table.values.data();
  for (const Measure measure : table.measures)
    for (LayerSensitivity& layer : sensitivity.layers)
      for (const auto kind : {&LayerSensitivity::weight_choices, &LayerSensitivity::activation_choices})
        for (Perturbation& choice : layer.*kind) {
          if (choice.bits == 32) continue;
          choice.figures[measure] = WeightedMean(values, counts);
          values += table.samples;
        }
  return sensitivity;
}

OutputShifts Resample(const OutputShifts& shifts, const SampleCounts& counts) {
  const std::size_t positions = counts.empty() ? 0 : shifts.samples / counts.size();
  if (positions == 0 || positions * counts.size() != shifts.samples)
    throw Error(fmt::format("{} counts were given for shifts of {} predictions", counts.size(), shifts.samples));
  OutputShifts result{0, shifts.classes, {}, {}};
  const std::size_t of_sample = positions * shifts.classes, of_choice = shifts.samples * shifts.classes;
  const auto draw = [&](const std::vector<float>& from, std::size_t begin, std::vector<float>& to) {
    for (std::size_t n = 0; n < counts.size(); ++n)
      for (std::int64_t k = 0; k < counts[n]; ++k) {
        const auto row = from.begin() + static_cast<std::ptrdiff_t>(begin + n * of_sample);
        to.insert(to.end(), row, row + static_cast<std::ptrdiff_t>(of_sample));
      }
  };
  draw(shifts.logits, 0, result.logits);
  for (std::size_t begin = 0; begin < shifts.shifts.size(); begin += of_choice)
    draw(shifts.shifts, begin, result.shifts);
  result.samples = result.logits.size() / shifts.classes;
  return result;
}

std::optional<BootstrapStability> ResamplePlan(const Sensitivity& sensitivity, const ProblemOptions& problem,
                                               const SearchOptions& search, const std::vector<std::size_t>& choices,
                                               const StabilityOptions& options) {
  if (!CanResample(sensitivity, problem)) return std::nullopt;
  SearchOptions quick = search;
  quick.gap = std::max(search.gap, kEqual / 2);
  quick.progress = {};
  // Of all samples: a resample repeats what is chance in them, and so takes it for more than that.
  const double share = ShareFor(sensitivity, problem);
  Sensitivity figures_only = sensitivity;
  figures_only.contributions.reset();
  figures_only.shifts.reset();
  const TimeLeft left(search.time_limit_seconds);
  std::vector<LayerBits> planned;
  std::vector<std::vector<double>> finished;  // of all samples, and then of each resample
  const auto compare = [&](const SampleCounts& counts) {
    quick.time_limit_seconds = left();
    if (quick.time_limit_seconds <= 0) throw TimeIsUp();
    Sensitivity drawn = Resample(figures_only, *sensitivity.contributions, counts);
    if (problem.joint) drawn.shifts = Resample(*sensitivity.shifts, counts);
    const Problem again = MakeProblem(drawn, problem, share);
    const Solution best = again.joint ? search::SearchFrom(again, {choices, kMostNodes}, quick) : Search(again, quick);
    if (left() <= 0 && best.status != SolutionStatus::Optimal) throw TimeIsUp();
    if (best.choices.empty()) throw Error("a resampled problem was not solved within the time limit");
    planned = AllBits(again, choices);
    const double above =
        std::max(0.0, ObjectiveOf(again, choices) - best.objective) / std::max(std::abs(best.objective), 1e-300);
    std::vector<double> figures = {above <= kEqual ? 1.0 : 0.0, above,
                                   best.status == SolutionStatus::Optimal ? 1.0 : 0.0};
    const std::vector<LayerBits> other = AllBits(again, best.choices);
    for (std::size_t i = 0; i < planned.size(); ++i)
      figures.push_back(
          planned[i].weight_bits == other[i].weight_bits && planned[i].activation_bits == other[i].activation_bits ? 1
                                                                                                                   : 0);
    Report(options.progress, "resampled plans", std::ssize(finished), options.bootstrap.resamples);
    finished.push_back(figures);
    return figures;
  };
  try {
    Bootstrap(sensitivity.contributions->samples, compare, options.bootstrap);
  } catch (const TimeIsUp&) {
    if (finished.size() < 2) return std::nullopt;
  }
  const std::int64_t resamples = std::ssize(finished) - 1;
  const auto mean = [&](std::size_t figure) {
    double sum = 0;
    for (std::int64_t r = 1; r <= resamples; ++r) sum += finished[static_cast<std::size_t>(r)][figure];
    return sum / static_cast<double>(resamples);
  };
  BootstrapStability result{resamples, mean(0), mean(1), mean(2), {}};
  for (std::size_t i = 0; i < planned.size(); ++i) result.kept[planned[i].layer] = mean(3 + i);
  return result;
}

}  // namespace bitplan
