#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "bitplan/data.h"
#include "bitplan/loss.h"
#include "bitplan/network.h"
#include "bitplan/problem.h"
#include "bitplan/progress.h"
#include "bitplan/quantize.h"
#include "bitplan/search.h"
#include "bitplan/sensitivity.h"
#include "bitplan/statistics.h"

namespace bitplan {

struct ChooseOptions {
  std::int64_t candidates = 1;  ///< plans that are measured, the best by prediction first; ≥ 1
  std::int64_t distance = 2;    ///< in at least how many groups each of them differs from those before it; ≥ 1
  std::int64_t refine = 0;      ///< exchanges that are measured after that; ≥ 0
  std::int64_t model_samples =
      512;                   ///< of the calibration samples, the first so many, on which exchanges are predicted; ≥ 2
  Loss loss = Loss::Auto;    ///< says what outputs are compared as, see ResolveLoss
  SearchOptions search;      ///< of the candidates after the first; `time_limit_seconds` is for each
  QuantizeOptions quantize;  ///< `batch_size` and `memory_bytes` are those of all passes
  ProgressCallback progress;

  bool Wanted() const { return candidates > 1 || refine > 0; }  ///< whether there is anything to choose
  void Validate() const;                                        ///< throws Error
};

/// Where a plan that is measured comes from.
enum class TrialOrigin {
  Candidate,  ///< the search
  Exchange,   ///< a change of the plan that was the best until then
};
std::string_view ToString(TrialOrigin origin);  ///< candidate, exchange

/// One plan that was measured.
struct Trial {
  TrialOrigin origin = TrialOrigin::Candidate;
  std::vector<std::size_t> choices;  ///< one a group
  double predicted = 0;              ///< the problem's objective
  Estimate loss;                     ///< mean divergence from the float network, see Loss: KL in nats, of classes
  Estimate difference;  ///< of the loss, sample by sample, from the plan that was the best until then; 0 for the first
  double expected =
      0;  ///< of an exchange, what the model around the quantized network predicts for `difference`; else 0
  bool accepted = false;  ///< better by more than its standard error: it took the best one's place
};

/// All that was measured, in that order.
struct MeasuredChoice {
  std::int64_t samples = 0;  ///< that plans were measured on
  std::vector<Trial> trials;

  const Trial& Best() const;  ///< the last that was accepted
};

/// Measures plans on `held_out`, samples that the analysis has not seen, and keeps a change only when the loss falls by
/// more than the standard error of the paired difference. First `best`, which solves `problem`, and the next best plans
/// that are at least `distance` apart (BestOtherPlan). Then exchanges: one group, or two, go to choices next to theirs,
/// within the budgets and rules. They are ranked by the logit model around the quantized network as it is then: its
/// logits' shift by every such change, made alone on the first `model_samples` of `calibration`; the loss of one change
/// is exact there, that of two has the cross term of the divergence's curvature added; both are shrunk by their
/// standard errors towards what the problem predicts. With every exchange that is accepted the model is made anew. It
/// ends early when no exchange is predicted to help.
///
/// Throws Error: options out of range, prices in the problem (loss alone is measured), fewer than 2 held-out samples, a
/// problem that is not the network's, an output that is not finite.
MeasuredChoice ChooseByMeasuring(const Network& network, const Sensitivity& sensitivity, const Problem& problem,
                                 const Solution& best, const Dataset& calibration, const Dataset& held_out,
                                 const ChooseOptions& options);

/// The mean divergence from the float network on `samples` (KL in nats, of classes; see Loss), of any plan of
/// `problem`: what a learning agent can be rewarded by (bitplan/agent.h). Network, sensitivity and problem must outlive
/// it. Throws Error when an output is not finite.
std::function<double(const std::vector<std::size_t>& choices)> MeasuredLoss(
    const Network& network, const Sensitivity& sensitivity, const Problem& problem, const Dataset& calibration,
    const Dataset& samples, const QuantizeOptions& options, Loss loss = Loss::Auto);

/// `solution` with other choices, and its bound: objective, costs, gap and status are those of the choices.
Solution WithChoices(const Problem& problem, const Solution& solution, const std::vector<std::size_t>& choices);

/// File form: `bitplan.choice/1`.
std::string ToJson(const Problem& problem, const MeasuredChoice& choice);

}  // namespace bitplan
