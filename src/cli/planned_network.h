#pragma once

#include <optional>

#include "bitplan/plan.h"
#include "bitplan/quantize.h"
#include "cli/options.h"

namespace bitplan::cli {

/// A quantized network, and what its output correction gains on other samples.
struct PlannedNetwork {
  QuantizedNetwork quantized;
  std::optional<CorrectionGain> gain;
};

/// Quantizes by a plan, with calibration data where the plan needs any. Warns as WarnOfCorrection does.
PlannedNetwork QuantizeByPlan(const CommandLine& line, const Network& network, const Plan& plan,
                              const QuantizeOptions& options);

/// Says on stderr where a correction gains nothing on samples that it was not fitted on, and how many samples would
/// help; `option` gives their number.
void WarnOfCorrection(const std::optional<CorrectionGain>& gain, const char* option);

}  // namespace bitplan::cli
