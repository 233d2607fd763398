#include "bitplan/corrections.h"

#include <fmt/format.h>

#include <cmath>

#include "bitplan/error.h"
#include "text/enum_names.h"

namespace bitplan {

namespace {

constexpr text::Names<Rescaling, 4> kRescalings = {{{Rescaling::None, "none"},
                                                    {Rescaling::Equalization, "equalization"},
                                                    {Rescaling::SmoothQuant, "smoothquant"},
                                                    {Rescaling::ActivationAware, "awq"}}};
constexpr text::Names<Rounding, 3> kRoundings = {
    {{Rounding::Nearest, "nearest"}, {Rounding::AdaRound, "adaround"}, {Rounding::Gptq, "gptq"}}};
constexpr text::Names<OutputCorrection, 5> kOutputCorrections = {
    {{OutputCorrection::None, "none"},
     {OutputCorrection::Channel, "channel"},
     {OutputCorrection::Bias, "bias"},
     {OutputCorrection::BiasFromBatchNorm, "bias-from-batch-norm"},
     {OutputCorrection::BatchNorm, "batch-norm"}}};

}  // namespace

bool Corrections::FitsOutputs() const {
  return output != OutputCorrection::None && output != OutputCorrection::BiasFromBatchNorm;
}

bool Corrections::ShiftsOutputs() const {
  return output != OutputCorrection::None && output != OutputCorrection::BatchNorm;
}

void Corrections::Validate() const {
  if (!(smoothing >= 0 && smoothing <= 1)) throw Error(fmt::format("smoothing: {} is outside [0, 1]", smoothing));
  if (!(outlier_threshold >= 0 && std::isfinite(outlier_threshold)))
    throw Error(fmt::format("outlier threshold: {} is not a number from 0", outlier_threshold));
}

BITPLAN_ENUM_NAMES(Rescaling, kRescalings, "rescaling")
BITPLAN_ENUM_NAMES(Rounding, kRoundings, "rounding")
BITPLAN_ENUM_NAMES(OutputCorrection, kOutputCorrections, "output correction")
Rescaling ParseRescaling(std::string_view text) { return Parse<Rescaling>(text); }
Rounding ParseRounding(std::string_view text) { return Parse<Rounding>(text); }
OutputCorrection ParseOutputCorrection(std::string_view text) { return Parse<OutputCorrection>(text); }

}  // namespace bitplan
