#include "trials.h"

#include <algorithm>
#include <iterator>

#include "text/enum_names.h"

namespace bitplan {

namespace {

constexpr text::Names<TrialOrigin, 2> kOrigins = {
    {{TrialOrigin::Candidate, "candidate"}, {TrialOrigin::Exchange, "exchange"}}};

}  // namespace

BITPLAN_ENUM_NAMES(TrialOrigin, kOrigins, "origin of a trial")

const Trial& MeasuredChoice::Best() const {
  return *std::find_if(trials.rbegin(), trials.rend(), [](const Trial& trial) { return trial.accepted; });
}

}  // namespace bitplan

namespace bitplan::choose {

bool Trials::Try(TrialOrigin origin, const std::vector<std::size_t>& choices, double expected) {
  const std::vector<double> losses = measure_(choices);
  Trial trial{origin, choices, ObjectiveOf(problem_, choices), Mean(losses), {}, expected, true};
  if (!best_.empty()) {
    trial.difference = PairedDifference(losses, best_);
    trial.accepted = trial.difference.value < -trial.difference.standard_error;
  }
  if (trial.accepted) best_ = losses;
  result_.samples = std::ssize(losses);
  result_.trials.push_back(trial);
  return trial.accepted;
}

bool Trials::Tried(const std::vector<std::size_t>& choices) const {
  return std::any_of(result_.trials.begin(), result_.trials.end(),
                     [&](const Trial& trial) { return trial.choices == choices; });
}

void Refine(Trials& trials, std::int64_t count, const RankExchanges& rank, const ProgressCallback& progress) {
  std::int64_t done = 0;
  for (bool accepted = true; accepted && done < count;) {
    accepted = false;
    const std::vector<std::size_t> best = trials.result().Best().choices;
    for (const Exchange& exchange : rank(best)) {
      const std::vector<std::size_t> choices = Changed(best, exchange.changes);
      if (exchange.expected >= 0 || done == count) break;
      if (trials.Tried(choices)) continue;
      accepted = trials.Try(TrialOrigin::Exchange, choices, exchange.expected);
      Report(progress, "measuring exchanges", ++done, count);
      if (accepted) break;
    }
  }
}

}  // namespace bitplan::choose
