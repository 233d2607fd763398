#include "bitplan/stability.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <numeric>

#include "bitplan/error.h"
#include "joint_term.h"
#include "search/warm_start.h"
#include "tuning.h"

namespace bitplan {

namespace {

/// Samples with predictions that count.
std::vector<std::size_t> Drawable(const Contributions& table) {
  std::vector<std::size_t> samples;
  for (std::size_t i = 0; i < table.samples; ++i)
    if (table.predictions.empty() || table.predictions[i] > 0) samples.push_back(i);
  return samples;
}

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
  if (!sensitivity.contributions || Drawable(*sensitivity.contributions).size() < 2) return false;
  const std::vector<Measure>& measures = sensitivity.contributions->measures;
  return std::find(measures.begin(), measures.end(), measure) != measures.end();
}

bool CanResample(const Sensitivity& sensitivity, const ProblemOptions& problem) {
  return HasContributions(sensitivity, problem.measure) &&
         (!problem.joint || HasContributions(sensitivity, cost::JointFigure(problem.measure)));
}

/// By what a mean over samples drawn, which divides by as many predictions as samples have on average, exceeds the mean
/// over the predictions drawn.
double PredictionsDrawn(const Contributions& table, const SampleCounts& counts) {
  if (table.predictions.empty()) return 1;
  double samples = 0, drawn = 0, all = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const auto count = static_cast<double>(counts[i]), predictions = static_cast<double>(table.predictions[i]);
    samples += count;
    drawn += count * predictions;
    all += predictions;
  }
  if (!(drawn > 0)) throw Error("none of the samples drawn has a prediction that counts");
  return drawn / samples / (all / static_cast<double>(counts.size()));
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

/// How many rows of shifts each sample has. Throws Error where they do not add up to all.
std::vector<std::size_t> RowsOfSamples(std::size_t all, std::size_t samples,
                                       const std::vector<std::int64_t>& predictions) {
  std::vector<std::size_t> rows(predictions.begin(), predictions.end());
  if (predictions.empty() && samples > 0) rows.assign(samples, all / samples);
  if (rows.empty() || rows.size() != samples || std::accumulate(rows.begin(), rows.end(), std::size_t{0}) != all)
    throw Error(fmt::format("{} counts were given for shifts of {} predictions", samples, all));
  return rows;
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
  if (!table.predictions.empty() && table.predictions.size() != table.samples)
    throw Error(
        fmt::format("{} numbers of predictions were given for {} samples", table.predictions.size(), table.samples));
  const double* values = table.values.data();
  const double excess = PredictionsDrawn(table, counts);
  for (const Measure measure : table.measures)
    for (LayerSensitivity& layer : sensitivity.layers)
      for (const auto kind : {&LayerSensitivity::weight_choices, &LayerSensitivity::activation_choices})
        for (Perturbation& choice : layer.*kind) {
          if (choice.bits == 32) continue;
          const Estimate mean = WeightedMean(values, counts);
          choice.figures[measure] = {mean.value / excess, mean.standard_error / excess};
          values += table.samples;
        }
  return sensitivity;
}

OutputShifts Resample(const OutputShifts& shifts, const SampleCounts& counts,
                      const std::vector<std::int64_t>& predictions) {
  const std::vector<std::size_t> rows = RowsOfSamples(shifts.samples, counts.size(), predictions);
  OutputShifts result{0, shifts.classes, {}, {}};
  const std::size_t of_choice = shifts.samples * shifts.classes;
  const auto draw = [&](const std::vector<float>& from, std::size_t begin, std::vector<float>& to) {
    auto row = from.begin() + static_cast<std::ptrdiff_t>(begin);
    for (std::size_t n = 0; n < counts.size(); ++n) {
      const auto next = row + static_cast<std::ptrdiff_t>(rows[n] * shifts.classes);
      for (std::int64_t k = 0; k < counts[n]; ++k) to.insert(to.end(), row, next);
      row = next;
    }
  };
  draw(shifts.logits, 0, result.logits);
  for (std::size_t begin = 0; begin < shifts.shifts.size(); begin += of_choice)
    draw(shifts.shifts, begin, result.shifts);
  result.samples = result.logits.size() / shifts.classes;
  return result;
}

std::optional<Stability> ResamplePlan(const Sensitivity& sensitivity, const ProblemOptions& problem,
                                      const SearchOptions& search, const std::vector<std::size_t>& choices,
                                      const StabilityOptions& options) {
  if (!CanResample(sensitivity, problem)) return std::nullopt;
  SearchOptions quick = search;
  quick.gap = std::max(search.gap, cost::tuning::kEqualLosses / 2);
  quick.progress = {};
  // Of all samples: a resample repeats what is chance in them, and so takes it for more than that.
  const double share = cost::ShareFor(sensitivity, problem);
  Sensitivity figures_only = sensitivity;
  figures_only.contributions.reset();
  figures_only.shifts.reset();
  const TimeLeft left(search.time_limit_seconds);
  std::vector<LayerBits> planned;
  const Contributions& table = *sensitivity.contributions;
  const std::vector<std::size_t> drawable = Drawable(table);
  std::vector<std::vector<double>> finished;  // of all samples, and then of each resample
  const auto compare = [&](const SampleCounts& of_drawable) {
    quick.time_limit_seconds = left();
    if (quick.time_limit_seconds <= 0) throw TimeIsUp();
    SampleCounts counts(table.samples, 0);
    for (std::size_t i = 0; i < drawable.size(); ++i) counts[drawable[i]] = of_drawable[i];
    Sensitivity drawn = Resample(figures_only, table, counts);
    if (problem.joint) drawn.shifts = Resample(*sensitivity.shifts, counts, table.predictions);
    const Problem again = cost::MakeProblemWithShare(drawn, problem, share);
    const Solution best = again.joint ? search::SearchFrom(again, {choices, cost::tuning::kMostNodesOfDraw}, quick)
                                      : Search(again, quick);
    if (left() <= 0 && best.status != SolutionStatus::Optimal) throw TimeIsUp();
    if (best.choices.empty()) throw Error("a resampled problem was not solved within the time limit");
    planned = AllBits(again, choices);
    const double above =
        std::max(0.0, ObjectiveOf(again, choices) - best.objective) / std::max(std::abs(best.objective), 1e-300);
    std::vector<double> figures = {above <= cost::tuning::kEqualLosses ? 1.0 : 0.0, above,
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
    Bootstrap(drawable.size(), compare, options.bootstrap);
  } catch (const TimeIsUp&) {
    if (finished.size() < 2) return std::nullopt;
  }
  const std::int64_t resamples = std::ssize(finished) - 1;
  const auto mean = [&](std::size_t figure) {
    double sum = 0;
    for (std::int64_t r = 1; r <= resamples; ++r) sum += finished[static_cast<std::size_t>(r)][figure];
    return sum / static_cast<double>(resamples);
  };
  Stability result{resamples, mean(0), mean(1), mean(2), {}};
  for (std::size_t i = 0; i < planned.size(); ++i) result.kept[planned[i].layer] = mean(3 + i);
  return result;
}

}  // namespace bitplan
