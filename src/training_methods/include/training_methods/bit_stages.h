#pragma once

#include <vector>

#include "bitplan/plan.h"

namespace bitplan::training_methods {

/// A format on its way down to `planned`: integers of `bits` where `planned` has fewer, `planned` itself elsewhere.
Format FormatAtStage(const Format& planned, int bits);

/// Throws Error unless `bits` are widths of integers, 2 … 8 or 16, descending; none are.
void CheckStages(const std::vector<int>& bits);

/// The plans by which bits are lowered in stages: one for each of `bits` in which no weight, input or operand has
/// fewer, then `plan` itself. Stages that would repeat the one before are left out. What was learned is in the last
/// alone. Throws Error unless `bits` are widths of integers, 2 … 8 or 16, descending.
std::vector<Plan> PlansInStages(const Plan& plan, const std::vector<int>& bits);

/// The stage of epoch `epoch` of `epochs`, counted from 0: stages share the epochs alike. Throws Error when there are
/// fewer epochs than stages.
std::size_t StageAt(std::int64_t epoch, std::int64_t epochs, std::size_t stages);

}  // namespace bitplan::training_methods
