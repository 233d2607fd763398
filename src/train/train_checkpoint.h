#pragma once

#include "bitplan/data.h"
#include "bitplan/plan.h"
#include "bitplan/train.h"
#include "files/journal.h"
#include "train/run_state.h"
#include "train/step_optimizer.h"
#include "train/trained_network.h"

namespace bitplan {

/// What must be the same for a run to go on. Draws depend on seed, epoch and step alone, so that a checkpoint has no
/// more to keep than what follows.
JournalSubject SubjectOf(const TrainedNetwork& network, const Plan& plan, const Dataset& data,
                         const Criterion& criterion, const TrainOptions& options);

/// All that a run goes on from, and what reads it: first how far it had come, without the best network; then the rest,
/// into a network and an optimizer that are ready for the state's stage. Throw Error when the checkpoint is damaged.
JournalSteps StepsOf(TrainedNetwork& network, const StepOptimizer& optimizer, const RunState& state);
RunState ReadState(const Journal& checkpoint);
void Restore(const Journal& checkpoint, TrainedNetwork& network, StepOptimizer& optimizer, RunState& state);

}  // namespace bitplan
