#pragma once

#include <cstdint>
#include <string>

#include "bitplan/output_kind.h"
#include "bitplan/plan.h"

namespace bitplan::cli {

/// What Evaluation::divergence is of such outputs.
constexpr const char* DistanceName(OutputKind outputs) {
  if (outputs == OutputKind::Several) return "divergence to float";
  return outputs == OutputKind::Values ? "squared error to float" : "KL to float";
}

/// Of a correction that gains nothing on samples that it was not fitted on, and is not expected to when it is fitted on
/// all of them: how many would do, and the option that gives their number. It is never fitted on more than `most`.
/// Empty where there is nothing to warn of. `outputs`: what it was measured as.
std::string CorrectionWarning(const CorrectionGain& gain, const char* option, std::int64_t most, OutputKind outputs);

}  // namespace bitplan::cli
