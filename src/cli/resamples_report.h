#pragma once

#include <cstdint>

#include "bitplan/plan.h"
#include "bitplan/sensitivity.h"

namespace bitplan::cli {

/// Says how many of the `asked` resamples the time limit left room for, where these are not all.
void TellOfResamples(const Plan& plan, const Sensitivity& sensitivity, std::int64_t asked);

}  // namespace bitplan::cli
