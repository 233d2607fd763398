#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "bitplan/plan.h"
#include "bitplan/quantize.h"
#include "cli/options.h"

namespace bitplan::cli {

/// A quantized network, what its output correction gains on other samples, and what --memory leaves for passes.
struct PlannedNetwork {
  QuantizedNetwork quantized;
  std::optional<CorrectionGain> gain;
  std::int64_t memory_bytes = 0;
};

/// Quantizes by a plan, with calibration data where the plan needs any, within what --memory leaves beside `data` that
/// is in memory, too. Warns as WarnOfCorrection does.
PlannedNetwork QuantizeByPlan(const CommandLine& line, const Network& network, const Plan& plan,
                              QuantizeOptions options, std::vector<const Dataset*> data);

/// Says on stderr where a correction gains nothing on samples that it was not fitted on, and how many samples would
/// help; `option` gives their number.
void WarnOfCorrection(const std::optional<CorrectionGain>& gain, const char* option);

}  // namespace bitplan::cli
