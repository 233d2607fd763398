#include "correction_warning.h"

#include <fmt/format.h>

namespace bitplan::cli {

namespace {

/// Each of the measured fits saw half of the samples; the one in use saw all of them.
bool AllShouldDo(const CorrectionGain& gain) {
  const std::int64_t all = 2 * gain.samples + 1, needed = gain.SamplesNeeded().value_or(0);
  return needed > 0 && needed <= all;
}

std::string Advice(const CorrectionGain& gain, const char* option, std::int64_t most) {
  constexpr const char* kLeaveOff = "--output-correction none leaves it off";
  const auto needed = gain.SamplesNeeded();
  if (!needed) return kLeaveOff;
  if (*needed == 0) return fmt::format("more samples would not help, as far as these tell; {}", kLeaveOff);
  if (*needed > most)
    return fmt::format("about {} samples would be needed, and it is fitted on at most {}; {}", *needed, most,
                       kLeaveOff);
  return fmt::format("about {} samples would do ({} {}); {}", *needed, option, *needed, kLeaveOff);
}

}  // namespace

std::string CorrectionWarning(const CorrectionGain& gain, const char* option, std::int64_t most, OutputKind outputs) {
  if (gain.Gain() > 0 || AllShouldDo(gain)) return "";
  return fmt::format(
      "warning: the output correction gains nothing on samples that it was not fitted on: fitted on {} of "
      "them and measured on as many others, {} is {:.3g} with it and {:.3g} without; {}",
      gain.samples, DistanceName(outputs), gain.corrected, gain.uncorrected, Advice(gain, option, most));
}

}  // namespace bitplan::cli
