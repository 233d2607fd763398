#include "choose/exchange_model.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>

#include "bitplan/loss.h"
#include "bitplan/search.h"
#include "bitplan/statistics.h"

namespace bitplan {

namespace {

/// [samples, predictions, classes].
at::Tensor Logits(const at::Tensor& outputs) {
  const at::Tensor last = outputs.movedim(ClassAxis(outputs, {}), -1);
  return last.reshape({last.size(0), -1, last.size(-1)}).cpu().to(at::kDouble);
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

ChangeEffects EffectsOf(const at::Tensor& float_logits, const at::Tensor& logits,
                        const std::vector<at::Tensor>& changed) {
  const at::Tensor from = float_logits.log_softmax(2), p = logits.softmax(2);
  const auto divergence = [&](const at::Tensor& of) {
    return (from.exp() * (from - of.log_softmax(2))).sum(2).mean(1);
  };
  const at::Tensor now = divergence(logits);
  std::vector<at::Tensor> own, shifts;
  for (const at::Tensor& other : changed) {
    own.push_back(divergence(other) - now);
    const at::Tensor shift = other - logits;  // H of a prediction is the sum over classes of these rows' squares
    shifts.push_back(p.sqrt() * (shift - (p * shift).sum(2, true)) / std::sqrt(static_cast<double>(logits.size(1))));
  }
  return {at::stack(own), at::stack(shifts).flatten(2)};
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
    changed.push_back(Logits(meter.Outputs(Changed(choices, {change}))));
    Report(progress, "model of exchanges", std::ssize(changed), std::ssize(changes));
  }
  return RankedExchanges(problem, choices, changes,
                         EffectsOf(Logits(meter.float_outputs()), Logits(meter.Outputs(choices)), changed));
}

}  // namespace bitplan
