#include "planned_network.h"

#include <string>

#include "bitplan/evaluate.h"
#include "correction_warning.h"
#include "loss/compare_outputs.h"
#include "memory_option.h"
#include "tell.h"

namespace bitplan::cli {

PlannedNetwork QuantizeByPlan(const CommandLine& line, const Network& network, const Plan& plan,
                              QuantizeOptions options, std::vector<const Dataset*> data) {
  if (!NeedsCalibration(plan, options)) {
    options.memory_bytes = ReadMemory(line, network, data);
    return {QuantizedNetwork::Create(network, plan, options), std::nullopt, options.memory_bytes};
  }
  const Dataset calibration = LoadCalibration(line, plan, network);
  data.push_back(&calibration);
  options.memory_bytes = ReadMemory(line, network, data);
  QuantizedNetwork quantized = QuantizedNetwork::Create(network, plan, calibration, options);
  std::optional<CorrectionGain> gain = CrossValidateCorrection(quantized, calibration, options);
  if (gain) WarnOfCorrection(gain, "--calibration-samples", loss::ToCompareOutputs(network, calibration).outputs);
  return {std::move(quantized), gain, options.memory_bytes};
}

void WarnOfCorrection(const std::optional<CorrectionGain>& gain, const char* option, OutputKind outputs) {
  const std::string warning =
      gain ? CorrectionWarning(*gain, option, QuantizeOptions().correction_samples, outputs) : "";
  if (!warning.empty()) Tell(warning);
}

}  // namespace bitplan::cli
