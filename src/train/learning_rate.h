#pragma once

#include <cstdint>

#include "bitplan/train.h"

namespace bitplan::train {

/// The learning rate of step `step` of a run, counted from 0: (k + 1) / (W + 1) of the full rate in step k of W of the
/// warm-up, then the schedule over the steps that are left. An epoch that begins within the warm-up counts for
/// LearningRateSchedule::Step like any other.
double LearningRate(const TrainOptions& options, std::int64_t step, std::int64_t steps_an_epoch);

}  // namespace bitplan::train
