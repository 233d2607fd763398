#pragma once

#include "bitplan/quantize.h"

namespace bitplan::quantize {

/// Asymmetric integers of 8 bits on the smallest and largest value of each batch: what layers read that are quantized
/// when they run.
Format DynamicFormat();

/// The range of a dynamic format for one batch: of its smallest and largest value; the default for none, or for values
/// that are not finite.
ActivationRange DynamicRange(const at::Tensor& x, const Format& format);

}  // namespace bitplan::quantize
