#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "data/spec.h"

namespace bitplan::data {

/// A tensor and what to call it in messages.
struct RawTensor {
  at::Tensor tensor;
  std::string where;  ///< e.g. "train.npz: array x"
};

/// Inputs and labels as the files hold them, unchecked but for being readable.
struct RawSamples {
  std::vector<RawTensor> inputs;  ///< at least one
  RawTensor labels;               ///< an undefined tensor where there are none
};

/// `input_names`: as DataOptions has them. Throws Error: as the decoders do, none or several labels where one is
/// expected, some of the names but not all.
RawSamples ReadSamples(const Spec& spec, const std::vector<std::string>& input_names = {});

}  // namespace bitplan::data
