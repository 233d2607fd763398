#pragma once

#include "bitplan/format.h"
#include "calibration/distribution.h"
#include "clip.h"

namespace bitplan::calibration {

/// mean ± `format.deviations` standard deviations, as far as there are values.
Clip DeviationsClip(const Distribution& distribution, const Format& format);

/// mean ± α, as far as there are values: the α with the least expected squared error of clipping and rounding to b bits
/// if the values are of a Laplace or a normal distribution (Banner et al., NeurIPS 2019, equations 5 and 6;
/// `format.calibrator` says which). Values that are never negative count as the upper half of a distribution around 0,
/// zeros left out, which has a grid of half the step.
Clip AnalyticClip(const Distribution& distribution, const Format& format);

/// α / b of a Laplace distribution with density exp(−|x| / b) / 2b, on a grid of 2^bits levels over ±α.
double LaplaceClip(int bits);

/// α / σ of a normal distribution.
double GaussClip(int bits);

}  // namespace bitplan::calibration
