#include "choose/exchange_model.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "bitplan/loss.h"

namespace bitplan {

namespace {

/// A row for each prediction.
at::Tensor Rows(const at::Tensor& outputs) {
  const at::Tensor last = outputs.movedim(ClassAxis(outputs, {}), -1);
  return last.reshape({-1, last.size(-1)}).cpu().to(at::kDouble);
}

}  // namespace

ChangeEffects EffectsOf(const at::Tensor& float_logits, const at::Tensor& logits, const std::vector<at::Tensor>& changed) {
  const auto divergence = [&](const at::Tensor& of) { return LossValue(Loss::Divergence, of, float_logits); };
  const at::Tensor p = logits.to(at::kDouble).softmax(1), now = divergence(logits);
  std::vector<at::Tensor> own, rows;
  for (const at::Tensor& other : changed) {
    own.push_back(divergence(other) - now);
    const at::Tensor shift = (other - logits).to(at::kDouble);
    rows.push_back((p.sqrt() * (shift - (p * shift).sum(1, true))).flatten());  // H = Σ_c of these rows' squares
  }
  const at::Tensor all = at::stack(rows);
  return {at::stack(own), all.mm(all.t()) / static_cast<double>(logits.size(0))};
}

std::vector<Exchange> RankedExchanges(const Problem& problem, const std::vector<std::size_t>& choices, const std::vector<Change>& changes,
                                      const ChangeEffects& effects) {
  const auto own = effects.own.accessor<double, 1>();
  const auto cross = effects.cross.accessor<double, 2>();
  std::vector<Exchange> exchanges;
  const auto add = [&](std::vector<Change> together, double expected) {
    if (IsAllowed(problem, Changed(choices, together))) exchanges.push_back({std::move(together), expected});
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const auto a = static_cast<std::int64_t>(i);
    add({changes[i]}, own[a]);
    for (std::size_t j = i + 1; j < changes.size(); ++j) {
      const auto b = static_cast<std::int64_t>(j);
      if (changes[i].group != changes[j].group) add({changes[i], changes[j]}, own[a] + own[b] + cross[a][b]);
    }
  }
  std::stable_sort(exchanges.begin(), exchanges.end(), [](const Exchange& a, const Exchange& b) { return a.expected < b.expected; });
  return exchanges;
}

std::vector<Exchange> PredictExchanges(const PlanMeter& meter, const Problem& problem, const std::vector<std::size_t>& choices,
                                       const ProgressCallback& progress) {
  const std::vector<Change> changes = NeighborsOf(problem, choices);
  if (changes.empty()) return {};
  std::vector<at::Tensor> changed;
  for (const Change& change : changes) {
    changed.push_back(Rows(meter.Outputs(Changed(choices, {change}))));
    Report(progress, "model of exchanges", std::ssize(changed), std::ssize(changes));
  }
  return RankedExchanges(problem, choices, changes, EffectsOf(Rows(meter.float_outputs()), Rows(meter.Outputs(choices)), changed));
}

}  // namespace bitplan
