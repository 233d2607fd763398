#pragma once

#include <string_view>
#include <vector>

namespace bitplan {

/// An enum's value by the name that files and the command line have for it, as ToString gives it. Throws Error that
/// lists the names.
template <typename Enum>
Enum Parse(std::string_view text);

/// The names of all of an enum's values, in their order.
template <typename Enum>
std::vector<std::string_view> AllNames();

// Of these enums.
enum class Arithmetic;
enum class BatchNormFolding;
enum class Calibrator;
enum class Delta;
enum class Granularity;
enum class LearningRateSchedule;
enum class Loss;
enum class Measure;
enum class NumberType;
enum class OptimizerKind;
enum class OutputCorrection;
enum class Overflow;
enum class Rescaling;
enum class Rounding;
enum class ScaleType;
enum class Scheme;
enum class SolutionStatus;
enum class TrainingMethod;
enum class TrialOrigin;
enum class WidthRule;

#define BITPLAN_NAMED(Enum)                \
  template <>                              \
  Enum Parse<Enum>(std::string_view text); \
  template <>                              \
  std::vector<std::string_view> AllNames<Enum>()

BITPLAN_NAMED(Arithmetic);
BITPLAN_NAMED(BatchNormFolding);
BITPLAN_NAMED(Calibrator);
BITPLAN_NAMED(Delta);
BITPLAN_NAMED(Granularity);
BITPLAN_NAMED(LearningRateSchedule);
BITPLAN_NAMED(Loss);
BITPLAN_NAMED(Measure);
BITPLAN_NAMED(NumberType);
BITPLAN_NAMED(OptimizerKind);
BITPLAN_NAMED(OutputCorrection);
BITPLAN_NAMED(Overflow);
BITPLAN_NAMED(Rescaling);
BITPLAN_NAMED(Rounding);
BITPLAN_NAMED(ScaleType);
BITPLAN_NAMED(Scheme);
BITPLAN_NAMED(SolutionStatus);
BITPLAN_NAMED(TrainingMethod);
BITPLAN_NAMED(TrialOrigin);
BITPLAN_NAMED(WidthRule);

#undef BITPLAN_NAMED

}  // namespace bitplan
