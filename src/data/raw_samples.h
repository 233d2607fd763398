#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace bitplan::data {

/// A tensor and what to call it in messages.
struct RawTensor {
  at::Tensor tensor;
  std::string where;  ///< e.g. "train.npz: array x"
};

/// Inputs and labels as a caller holds them, unchecked.
struct RawSamples {
  std::vector<RawTensor> inputs;  ///< at least one
  RawTensor labels;               ///< an undefined tensor where there are none
};

}  // namespace bitplan::data
