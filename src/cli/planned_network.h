#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "bitplan/output_kind.h"
#include "bitplan/plan.h"
#include "bitplan/quantize.h"
#include "options.h"

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

/// Tells a CorrectionWarning on stderr, where there is one.
void WarnOfCorrection(const std::optional<CorrectionGain>& gain, const char* option, OutputKind outputs);

}  // namespace bitplan::cli
