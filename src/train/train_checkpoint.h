#pragma once

#include <string>
#include <utility>
#include <vector>

#include "bitplan/data.h"
#include "bitplan/plan.h"
#include "bitplan/train.h"
#include "train/run_state.h"
#include "train/step_optimizer.h"
#include "train/trained_network.h"

namespace bitplan {

/// What must be the same for a run to go on: names and values.
using RunSubject = std::vector<std::pair<std::string, std::string>>;
RunSubject SubjectOf(const TrainedNetwork& network, const Plan& plan, const Dataset& data, const TrainOptions& options);

/// Reads the file of `options` into the three, where it is there. Draws depend on seed, epoch and step alone, so there is no more to keep.
/// Throws Error when it is no checkpoint, or of another run, naming what differs.
void ReadCheckpoint(const TrainOptions& options, const RunSubject& subject, TrainedNetwork& network, StepOptimizer& optimizer, RunState& state);

/// Throws Error when it cannot be written.
void WriteCheckpoint(const TrainOptions& options, const RunSubject& subject, TrainedNetwork& network, const StepOptimizer& optimizer,
                     const RunState& state);

}  // namespace bitplan
