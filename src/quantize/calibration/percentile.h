#pragma once

#include "bitplan/format.h"
#include "quantize/calibration/clip.h"
#include "quantize/calibration/distribution.h"

namespace bitplan {

/// The central `format.percentile` per cent of the values: at most the rest lies outside. Asymmetric and unsigned
/// grids leave half of it out at each end; the others leave out the largest magnitudes.
Clip PercentileClip(const Distribution& distribution, const Format& format);

}  // namespace bitplan
