#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "bitplan/cost.h"
#include "bitplan/statistics.h"
#include "tuning.h"

namespace bitplan {

namespace {

/// One figure in logarithms.
struct Entry {
  Perturbation* choice = nullptr;
  std::size_t layer = 0;
  double reference = 0;       ///< what the figure is compared with
  double ratio = 0;           ///< log of the figure over it
  double standard_error = 0;  ///< of it
};

/// What a figure is expected to be proportional to, as far as the noise-free measures know: to the error of the
/// quantizer, and to the shift of the output where it was measured. Neither is right on its own, so it is their
/// geometric mean.
double ReferenceOf(const Perturbation& choice, Measure measure) {
  const auto shift = choice.figures.find(Measure::LogitShift);
  if (measure == Measure::LogitShift || shift == choice.figures.end()) return choice.relative_error;
  return std::sqrt(choice.relative_error * std::max(shift->second.value, 0.0));
}

std::vector<Estimate> PulledTowards(const std::vector<Estimate>& estimates, const std::vector<double>& prior,
                                    std::size_t fitted) {
  return estimates.size() < std::max(cost::tuning::kFewestToShrink, fitted + 2)
             ? estimates
             : Shrink(estimates, prior, fitted).posterior;
}

double WeightedMean(const std::vector<Estimate>& estimates) {
  double sum = 0, weights = 0;
  for (const Estimate& estimate : estimates) {
    const double weight = 1 / std::max(estimate.standard_error * estimate.standard_error, cost::tuning::kLeastVariance);
    sum += weight * estimate.value;
    weights += weight;
  }
  return sum / weights;
}

/// The ratio of each layer, in order of `layers`; a layer's widths see the same samples, so that their errors do not
/// average out.
std::vector<Estimate> LayerRatios(const std::vector<Entry>& entries, const std::vector<std::size_t>& layers) {
  std::vector<Estimate> ratios;
  for (const std::size_t layer : layers) {
    Estimate sum;
    double count = 0;
    for (const Entry& entry : entries)
      if (entry.layer == layer) {
        sum.value += entry.ratio;
        sum.standard_error += entry.standard_error;
        ++count;
      }
    ratios.push_back({sum.value / count, sum.standard_error / count});
  }
  return ratios;
}

/// Mean over the layers of what is left of each width.
std::map<int, double> CommonCurve(const std::vector<Entry>& entries, const std::vector<Estimate>& rest) {
  std::map<int, std::vector<Estimate>> of_width;
  for (std::size_t i = 0; i < entries.size(); ++i) of_width[entries[i].choice->bits].push_back(rest[i]);
  std::map<int, double> curve;
  for (const auto& [bits, estimates] : of_width) curve[bits] = WeightedMean(estimates);
  return curve;
}

void ShrinkEntries(std::vector<Entry>& entries, Measure measure) {
  std::vector<std::size_t> layers;
  for (const Entry& entry : entries)
    if (layers.empty() || layers.back() != entry.layer) layers.push_back(entry.layer);
  if (layers.size() < cost::tuning::kFewestToShrink) return;
  const std::vector<Estimate> ratios = LayerRatios(entries, layers);
  const std::vector<Estimate> pulled =
      PulledTowards(ratios, std::vector<double>(ratios.size(), WeightedMean(ratios)), 1);

  std::vector<Estimate> rest;
  for (const Entry& entry : entries) {
    const auto at = static_cast<std::size_t>(std::find(layers.begin(), layers.end(), entry.layer) - layers.begin());
    rest.push_back({entry.ratio - ratios[at].value, entry.standard_error});
  }
  const std::map<int, double> curve = CommonCurve(entries, rest);
  std::vector<double> prior;
  for (const Entry& entry : entries) prior.push_back(curve.at(entry.choice->bits));
  rest = PulledTowards(rest, prior, curve.size());

  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto at =
        static_cast<std::size_t>(std::find(layers.begin(), layers.end(), entries[i].layer) - layers.begin());
    Estimate& figure = entries[i].choice->figures.at(measure);
    const double shrunk = std::exp(pulled[at].value + rest[i].value) * entries[i].reference;
    figure.standard_error *= std::min(1.0, rest[i].standard_error / entries[i].standard_error);
    figure.value = shrunk;
  }
}

}  // namespace

Sensitivity ShrinkFigures(const Sensitivity& sensitivity, Measure measure) {
  Sensitivity result = sensitivity;
  if (!HasFigures(measure)) return result;
  for (const auto kind : {&LayerSensitivity::weight_choices, &LayerSensitivity::activation_choices}) {
    std::vector<Entry> entries;
    for (std::size_t i = 0; i < result.layers.size(); ++i)
      for (Perturbation& choice : result.layers[i].*kind) {
        const auto found = choice.figures.find(measure);
        const double reference = ReferenceOf(choice, measure);
        if (found == choice.figures.end() || !(found->second.standard_error > 0) || !(reference > 0)) continue;
        const double figure = std::max(found->second.value, found->second.standard_error);
        entries.push_back({&choice, i, reference, std::log(figure / reference), found->second.standard_error / figure});
      }
    ShrinkEntries(entries, measure);
  }
  return result;
}

}  // namespace bitplan
