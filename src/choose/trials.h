#pragma once

#include <functional>
#include <vector>

#include "bitplan/choose.h"
#include "neighbors.h"

namespace bitplan::choose {

/// Every sample's loss under a plan.
using MeasurePlan = std::function<std::vector<double>(const std::vector<std::size_t>& choices)>;

/// Plans that are measured one after the other, and the best of them.
class Trials {
 public:
  Trials(const Problem& problem, MeasurePlan measure) : problem_(problem), measure_(std::move(measure)) {}

  /// Measures a plan, and takes it over when it is the first, or better than the best by more than the standard error
  /// of the paired difference. Returns whether it was. `expected`: the difference as predicted.
  bool Try(TrialOrigin origin, const std::vector<std::size_t>& choices, double expected = 0);

  bool Tried(const std::vector<std::size_t>& choices) const;
  const MeasuredChoice& result() const { return result_; }

 private:
  const Problem& problem_;
  MeasurePlan measure_;
  MeasuredChoice result_;
  std::vector<double> best_;  // every sample's loss
};

/// Changes made together, with what they are predicted to change the loss by.
struct Exchange {
  std::vector<Change> changes;
  double expected = 0;
};

/// Exchanges around a plan, the best first.
using RankExchanges = std::function<std::vector<Exchange>(const std::vector<std::size_t>& choices)>;

/// Tries up to `count` exchanges of the best plan as they rank, those that are predicted to lower the loss; ranks anew
/// after each that is accepted.
void Refine(Trials& trials, std::int64_t count, const RankExchanges& rank, const ProgressCallback& progress);

}  // namespace bitplan::choose
