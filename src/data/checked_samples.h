#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "data/raw_samples.h"

namespace bitplan::data {

/// Samples in the form a Dataset keeps them in.
struct Samples {
  std::vector<at::Tensor> inputs;  ///< uint8, float32 or int64 [n, …], contiguous, on the CPU
  at::Tensor labels;               ///< int64 [n, …], or undefined
};

/// bool, float16, bfloat16 and float64 inputs become float32, wider integers int64; labels [n, 1] become [n]. Throws
/// Error naming the tensor and the sample: unsupported element type, no sample axis, no sample, unequal counts, NaN or
/// infinite values, labels that are not integers or negative.
Samples CheckSamples(RawSamples raw);

}  // namespace bitplan::data
