#include "learning_rate.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace bitplan::train {

namespace {

double Scheduled(const TrainOptions& options, std::int64_t step, std::int64_t steps_an_epoch) {
  if (options.schedule == LearningRateSchedule::Cosine) {
    const auto length =
        static_cast<double>(std::max<std::int64_t>(options.epochs * steps_an_epoch - options.warm_up_steps, 1));
    const auto done = static_cast<double>(step - options.warm_up_steps);
    return options.learning_rate * (1 + std::cos(std::numbers::pi * done / length)) / 2;
  }
  const std::int64_t epoch = step / steps_an_epoch;
  const auto drops = std::count_if(options.step_epochs.begin(), options.step_epochs.end(),
                                   [&](std::int64_t each) { return each <= epoch; });
  return options.learning_rate * std::pow(options.step_factor, static_cast<double>(drops));
}

}  // namespace

double LearningRate(const TrainOptions& options, std::int64_t step, std::int64_t steps_an_epoch) {
  const std::int64_t warm_up = options.warm_up_steps;
  if (step >= warm_up) return Scheduled(options, step, steps_an_epoch);
  return options.learning_rate * static_cast<double>(step + 1) / static_cast<double>(warm_up + 1);
}

}  // namespace bitplan::train
