#pragma once

#include <cstdint>
#include <vector>

#include "bitplan/analyze.h"
#include "bitplan/pass_limits.h"

namespace bitplan::hessian {

/// What quantizing a layer's input does to it, over all samples.
struct InputError {
  std::int64_t elements = 0;           ///< of the input for one sample; 0: never reached, or inside the operator
  double squared_norm = 0;             ///< mean over samples of ‖x‖²
  std::vector<double> squared_errors;  ///< mean over samples of ‖Q_b(x) − x‖², for each of `bits`
};

/// Measures every layer's input at all of `bits` in one pass over the data, after the pass that collects the ranges. A
/// tensor that a layer reads more than once counts once.
std::vector<InputError> MeasureInputErrors(const Network& network, const Dataset& data, const std::vector<int>& bits,
                                           const Format& format, const PassLimits& limits,
                                           const ProgressCallback& progress);

}  // namespace bitplan::hessian
