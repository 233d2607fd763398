#pragma once

#include "bitplan/format.h"
#include "calibration/distribution.h"
#include "clip.h"

namespace bitplan::calibration {

/// The central `format.percentile` per cent of the values: at most the rest lies outside. Asymmetric and unsigned
/// grids leave half of it out at each end; the others leave out the largest magnitudes.
Clip PercentileClip(const Distribution& distribution, const Format& format);

}  // namespace bitplan::calibration
