#include "exchange_model.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>

#include "bitplan/loss.h"
#include "bitplan/search.h"
#include "bitplan/statistics.h"

namespace bitplan::choose {

namespace {

/// u of a shift δ of `output`, both [samples, predictions, numbers], such that δᵢᵀ H δⱼ = Σ uᵢ uⱼ, H the Hessian of a
/// prediction's divergence.
at::Tensor CurvatureShift(OutputKind outputs, const at::Tensor& output, const at::Tensor& shift) {
  if (outputs == OutputKind::Values) return std::sqrt(2.0) * shift;
  if (outputs == OutputKind::Binary) {
    const at::Tensor p = output.sigmoid();
    return (p * (1 - p)).sqrt() * shift;
  }
  const at::Tensor p = output.softmax(2);
  return p.sqrt() * (shift - (p * shift).sum(2, true));
}

/// The same of whole outputs [N, …], as [N, numbers], shares and weights included.
at::Tensor CurvatureShifts(const Criterion& divergence, const at::Tensor& output, const at::Tensor& other,
                           const at::Tensor& labels) {
  if (divergence.outputs == OutputKind::Several) {
    const std::vector<at::Tensor> outputs = Apart(divergence, output), others = Apart(divergence, other);
    std::vector<at::Tensor> shifts;
    for (std::size_t i = 0; i < outputs.size(); ++i)
      shifts.push_back(std::sqrt(divergence.several[i].weight) *
                       CurvatureShifts(divergence.OfOutput(i), outputs[i], others[i], {}));
    return at::cat(shifts, 1);
  }
  const at::Tensor z = ByPrediction(divergence, output).to(at::kDouble);
  const at::Tensor share = PredictionShares(divergence, output, labels).sqrt().unsqueeze(-1);
  const at::Tensor shift = ByPrediction(divergence, other).to(at::kDouble) - z;
  return (share * CurvatureShift(divergence.outputs, z, shift)).flatten(1);
}

/// An exchange as its samples and the problem see it.
struct Sighting {
  Exchange exchange;
  Estimate seen;
  double predicted = 0;
};

/// The problem's predictions in the unit of what is seen, by least squares.
std::vector<double> Scaled(const std::vector<Sighting>& sightings) {
  double products = 0, squares = 0;
  for (const Sighting& sighting : sightings) {
    products += sighting.predicted * sighting.seen.value;
    squares += sighting.predicted * sighting.predicted;
  }
  const double factor = squares > 0 ? std::max(products / squares, 0.0) : 0;
  std::vector<double> scaled;
  for (const Sighting& sighting : sightings) scaled.push_back(factor * sighting.predicted);
  return scaled;
}

std::vector<Exchange> Ranked(const std::vector<Sighting>& sightings) {
  std::vector<Estimate> seen;
  std::vector<Exchange> exchanges;
  for (const Sighting& sighting : sightings) {
    seen.push_back(sighting.seen);
    exchanges.push_back(sighting.exchange);
  }
  if (seen.size() > 1) seen = Shrink(seen, Scaled(sightings), 1).posterior;
  for (std::size_t i = 0; i < seen.size(); ++i) exchanges[i].expected = seen[i].value;
  std::stable_sort(exchanges.begin(), exchanges.end(),
                   [](const Exchange& a, const Exchange& b) { return a.expected < b.expected; });
  return exchanges;
}

}  // namespace

ChangeEffects EffectsOf(const Criterion& divergence, const at::Tensor& float_output, const at::Tensor& output,
                        const std::vector<at::Tensor>& changed, const at::Tensor& labels) {
  const auto losses = [&](const at::Tensor& of) { return SampleLosses(divergence, of, float_output, labels); };
  const at::Tensor now = losses(output);
  std::vector<at::Tensor> own, shifts;
  for (const at::Tensor& other : changed) {
    own.push_back(losses(other) - now);
    shifts.push_back(CurvatureShifts(divergence, output, other, labels));
  }
  return {at::stack(own), at::stack(shifts)};
}

std::vector<Exchange> RankedExchanges(const Problem& problem, const std::vector<std::size_t>& choices,
                                      const std::vector<Change>& changes, const ChangeEffects& effects) {
  const auto samples = static_cast<double>(effects.own.size(1));
  const double now = ObjectiveOf(problem, choices);
  std::vector<Sighting> sightings;
  const auto add = [&](std::vector<Change> together, double mean, double deviation) {
    const std::vector<std::size_t> next = Changed(choices, together);
    if (IsAllowed(problem, next))
      sightings.push_back(
          {{std::move(together), 0}, {mean, deviation / std::sqrt(samples)}, ObjectiveOf(problem, next) - now});
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i);
    // Row 0: the change alone; row r: with the r-th one after it.
    const at::Tensor own = effects.own.narrow(0, at, effects.own.size(0) - at),
                     shifts = effects.shifts.narrow(0, at, own.size(0));
    at::Tensor together = own[0] + own + (shifts[0] * shifts).sum(2);
    together[0] = own[0];
    const at::Tensor means = together.mean(1), deviations = together.std(1);
    for (std::size_t j = i; j < changes.size(); ++j) {
      const auto row = static_cast<std::int64_t>(j - i);
      const double mean = means[row].item<double>(), deviation = deviations[row].item<double>();
      if (j == i)
        add({changes[i]}, mean, deviation);
      else if (changes[i].group != changes[j].group)
        add({changes[i], changes[j]}, mean, deviation);
    }
  }
  return Ranked(sightings);
}

std::vector<Exchange> PredictExchanges(const PlanMeter& meter, const Problem& problem,
                                       const std::vector<std::size_t>& choices, const ProgressCallback& progress) {
  const std::vector<Change> changes = NeighborsOf(problem, choices);
  if (changes.empty()) return {};
  std::vector<at::Tensor> changed;
  for (const Change& change : changes) {
    changed.push_back(meter.Outputs(Changed(choices, {change})).cpu());
    Report(progress, "model of exchanges", std::ssize(changed), std::ssize(changes));
  }
  return RankedExchanges(problem, choices, changes,
                         EffectsOf(meter.divergence(), meter.float_outputs().cpu(), meter.Outputs(choices).cpu(),
                                   changed, meter.labels()));
}

}  // namespace bitplan::choose
