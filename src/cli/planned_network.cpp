#include "cli/planned_network.h"

#include <fmt/format.h>

#include "bitplan/evaluate.h"
#include "cli/memory_option.h"
#include "cli/tell.h"

namespace bitplan::cli {

namespace {

std::string Advice(const CorrectionGain& gain, const char* option) {
  constexpr const char* kLeaveOff = "--output-correction none leaves it off";
  const auto needed = gain.SamplesNeeded();
  if (!needed) return kLeaveOff;
  if (*needed == 0) return fmt::format("more samples would not help, as far as these tell; {}", kLeaveOff);
  const std::int64_t most = QuantizeOptions().correction_samples;
  if (*needed > most)
    return fmt::format("about {} samples would be needed, and it is fitted on at most {}; {}", *needed, most, kLeaveOff);
  return fmt::format("about {} samples would do ({} {}); {}", *needed, option, *needed, kLeaveOff);
}

}  // namespace

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
  WarnOfCorrection(gain, "--calibration-samples");
  return {std::move(quantized), gain, options.memory_bytes};
}

void WarnOfCorrection(const std::optional<CorrectionGain>& gain, const char* option) {
  if (!gain || gain->Gain() > 0) return;
  Tell(fmt::format("warning: the output correction gains nothing on samples that it was not fitted on: fitted on {} of "
                   "them and measured on as many others, KL to float is {:.3g} with it and {:.3g} without; {}",
                   gain->samples, gain->corrected, gain->uncorrected, Advice(*gain, option)));
}

}  // namespace bitplan::cli
