#include "loss_text.h"

#include <fmt/format.h>

#include <cmath>

namespace bitplan::cli {

std::string LossText(double loss) {
  constexpr double kShort = 0.01, kLong = 1e6;  // from here on figures after the point say nothing
  if (loss != 0 && std::abs(loss) < kShort) return fmt::format("{:.3g}", loss);
  return std::abs(loss) < kLong ? fmt::format("{:.4f}", loss) : fmt::format("{:.4g}", loss);
}

}  // namespace bitplan::cli
