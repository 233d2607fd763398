#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "raw_samples.h"

namespace bitplan::data {

/// Samples in the form a Dataset keeps them in.
struct Samples {
  std::vector<at::Tensor> inputs;  ///< uint8, float32 or int64 [n, …], contiguous, on the CPU
  at::Tensor labels;               ///< int64 or float32 [n, …], or undefined
};

/// bool, float16, bfloat16 and float64 inputs become float32, wider integers int64; integer and bool labels int64,
/// others float32, and labels [n, 1] become [n]; what is in `ignored_labels` becomes kIgnoredLabel, of floats NaN, as
/// does kIgnoredLabel among floats that are otherwise 0 and 1.
/// Throws Error naming the tensor and the sample: unsupported element type, no sample axis, no sample, unequal counts,
/// NaN or infinite values.
Samples CheckSamples(RawSamples raw, const std::vector<std::int64_t>& ignored_labels);

/// The number of the sample in a row of what was read, for messages; empty: that of the row.
using SampleNumber = std::function<std::int64_t(std::int64_t row)>;

/// One input, or all labels, as CheckSamples has them.
at::Tensor CheckInput(const RawTensor& raw, const SampleNumber& number = {});
at::Tensor CheckLabels(const RawTensor& raw, const std::vector<std::int64_t>& ignored);

/// Throws Error, as CheckSamples does, unless there is an axis of samples and a value.
void CheckSampleShape(const std::vector<std::int64_t>& shape, const std::string& where);

/// The same, also of a tensor that is sparse, quantized or complex.
void CheckDense(const RawTensor& raw);

/// Throws Error, as CheckSamples does, where inputs may not be of this type.
void CheckInputType(at::ScalarType type, const std::string& where);

/// The type that inputs of this one are kept in; of types that are refused itself.
at::ScalarType StoredType(at::ScalarType type);

}  // namespace bitplan::data
