#pragma once

#include "bitplan/data.h"
#include "bitplan/loss.h"

namespace bitplan {

/// What Loss::Auto stands for with `data`. Throws Error for cross entropy of data without labels.
Loss ResolveLoss(Loss loss, const Dataset& data);

}  // namespace bitplan
