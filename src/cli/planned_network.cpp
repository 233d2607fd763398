#include "cli/planned_network.h"

#include <fmt/format.h>

#include "bitplan/evaluate.h"
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
                              const QuantizeOptions& options) {
  if (!NeedsCalibration(plan, options)) return {QuantizedNetwork::Create(network, plan, options), std::nullopt};
  const Dataset calibration = LoadCalibration(line, plan);
  QuantizedNetwork quantized = QuantizedNetwork::Create(network, plan, calibration, options);
  std::optional<CorrectionGain> gain = CrossValidateCorrection(quantized, calibration, options);
  WarnOfCorrection(gain, "--calibration-samples");
  return {std::move(quantized), gain};
}

void WarnOfCorrection(const std::optional<CorrectionGain>& gain, const char* option) {
  if (!gain || gain->Gain() > 0) return;
  Tell(fmt::format("warning: the output correction gains nothing on samples that it was not fitted on: fitted on {} of "
                   "them and measured on as many others, KL to float is {:.3g} with it and {:.3g} without; {}",
                   gain->samples, gain->corrected, gain->uncorrected, Advice(*gain, option)));
}

}  // namespace bitplan::cli
