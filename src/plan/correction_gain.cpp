#include <algorithm>
#include <cmath>

#include "bitplan/plan.h"

namespace bitplan {

std::optional<std::int64_t> CorrectionGain::SamplesNeeded() const {
  if (!corrected_by_half) return std::nullopt;
  // corrected = all + loss, corrected_by_half = all + 2 loss, where `all` is of all samples that there could be.
  const double loss = *corrected_by_half - corrected, all = corrected - loss;
  if (loss <= 0 || all >= uncorrected) return Gain() > 0 ? std::nullopt : std::optional<std::int64_t>(0);
  constexpr double kMost = 1e15;
  return static_cast<std::int64_t>(
      std::ceil(std::min(kMost, static_cast<double>(samples) * loss / (uncorrected - all))));
}

}  // namespace bitplan
