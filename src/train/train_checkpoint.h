#pragma once

#include "bitplan/data.h"
#include "bitplan/plan.h"
#include "bitplan/train.h"
#include "files/journal.h"
#include "run_state.h"
#include "step_optimizer.h"
#include "trained_network.h"

namespace bitplan::train {

/// What must be the same for a run to go on. Draws depend on seed, epoch and step alone, so that a checkpoint has no
/// more to keep than what follows.
files::JournalSubject SubjectOf(const TrainedNetwork& network, const Plan& plan, const Dataset& data,
                                const Criterion& criterion, const TrainOptions& options);

/// All that a run goes on from, and what reads it: first how far it had come, without the best network; then the rest,
/// into a network and an optimizer that are ready for the state's stage. Throw Error when the checkpoint is damaged.
files::JournalSteps StepsOf(TrainedNetwork& network, const StepOptimizer& optimizer, const RunState& state);
RunState ReadState(const files::Journal& checkpoint);
void Restore(const files::Journal& checkpoint, TrainedNetwork& network, StepOptimizer& optimizer, RunState& state);

}  // namespace bitplan::train
