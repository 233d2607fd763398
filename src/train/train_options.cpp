#include <fmt/format.h>

#include <cmath>

#include "bitplan/error.h"
#include "bitplan/train.h"
#include "text/enum_names.h"
#include "training_methods/bit_stages.h"
#include "training_methods/incremental_weight.h"

namespace bitplan {

namespace {

constexpr text::Names<BatchNormFolding, 5> kFoldings = {{{BatchNormFolding::Folded, "folded"},
                                                         {BatchNormFolding::Frozen, "frozen"},
                                                         {BatchNormFolding::TwoConvolutions, "two-convolutions"},
                                                         {BatchNormFolding::Smoothed, "smoothed"},
                                                         {BatchNormFolding::Rescaled, "rescaled"}}};
constexpr text::Names<OptimizerKind, 2> kOptimizers = {{{OptimizerKind::Sgd, "sgd"}, {OptimizerKind::Adam, "adam"}}};
constexpr text::Names<LearningRateSchedule, 3> kSchedules = {{{LearningRateSchedule::Constant, "constant"},
                                                              {LearningRateSchedule::Cosine, "cosine"},
                                                              {LearningRateSchedule::Step, "step"}}};

void AtLeast(const char* name, std::int64_t value, std::int64_t least) {
  if (value < least) throw Error(fmt::format("{} is {}, at least {} needed", name, value, least));
}

void RequireNumber(const char* name, double value, bool allowed, const char* rule) {
  if (!std::isfinite(value) || !allowed) throw Error(fmt::format("{} is {}, expected a number {}", name, value, rule));
}

void ValidateSteps(const TrainOptions& options) {
  if (options.schedule != LearningRateSchedule::Step) {
    if (!options.step_epochs.empty()) throw Error("step_epochs are given, but the schedule is not step");
    return;
  }
  if (options.step_epochs.empty()) throw Error("the schedule is step, but there are no step_epochs");
  for (std::size_t i = 0; i < options.step_epochs.size(); ++i)
    if (options.step_epochs[i] <= (i > 0 ? options.step_epochs[i - 1] : 0))
      throw Error(
          fmt::format("step_epochs must rise from above 0, but {} is at position {}", options.step_epochs[i], i));
}

}  // namespace

void TrainOptions::Validate() const {
  AtLeast("epochs", epochs, 1);
  AtLeast("batch_size", batch_size, 1);
  AtLeast("warm_up_steps", warm_up_steps, 0);
  AtLeast("crop_padding", crop_padding, 0);
  AtLeast("widen", widen, 1);
  AtLeast("calibration_samples", calibration_samples, 1);
  RequireNumber("learning_rate", learning_rate, learning_rate > 0, "above 0");
  RequireNumber("momentum", momentum, momentum >= 0 && momentum < 1, "in [0, 1)");
  RequireNumber("weight_decay", weight_decay, weight_decay >= 0, "from 0");
  RequireNumber("step_factor", step_factor, step_factor > 0 && step_factor <= 1, "in (0, 1]");
  RequireNumber("clip_norm", clip_norm, clip_norm >= 0, "from 0");
  RequireNumber("distillation", distillation, distillation >= 0 && distillation <= 1, "in [0, 1]");
  RequireNumber("temperature", temperature, temperature > 0, "above 0");
  RequireNumber("held_out", held_out, held_out >= 0 && held_out < 1, "in [0, 1)");
  RequireNumber("memory_bytes", static_cast<double>(memory_bytes), memory_bytes > 0, "above 0");
  ValidateSteps(*this);
  training_methods::CheckStages(stages);
  if (incremental.empty()) return;
  training_methods::IncrementalSchedule{incremental}.Validate(epochs);
  if (!stages.empty()) throw Error("incremental and stages are given; one of the two is for a run");
}

TrainingMethod MethodForWeights(TrainingMethod method, const Format& format) {
  if (SuitsWeights(method, format)) return method;
  if (format.IsInteger()) return TrainingMethod::Lsq;
  if (format.type == NumberType::Binary) return TrainingMethod::Bwn;
  if (format.type == NumberType::Ternary) return TrainingMethod::Twn;
  return TrainingMethod::Fixed;
}

TrainingMethod MethodForInputs(TrainingMethod method, const Format& format) {
  if (SuitsInputs(method, format)) return method;
  return format.IsInteger() ? TrainingMethod::Lsq : TrainingMethod::Fixed;
}

BITPLAN_ENUM_NAMES(BatchNormFolding, kFoldings, "folding of batch norm")
BITPLAN_ENUM_NAMES(OptimizerKind, kOptimizers, "optimizer")
BITPLAN_ENUM_NAMES(LearningRateSchedule, kSchedules, "schedule")
BatchNormFolding ParseBatchNormFolding(std::string_view text) { return Parse<BatchNormFolding>(text); }
OptimizerKind ParseOptimizer(std::string_view text) { return Parse<OptimizerKind>(text); }
LearningRateSchedule ParseLearningRateSchedule(std::string_view text) { return Parse<LearningRateSchedule>(text); }

}  // namespace bitplan
