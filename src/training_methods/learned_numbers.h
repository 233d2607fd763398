#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "bitplan/plan.h"
#include "bitplan/quantize.h"
#include "training_methods/trained_quantizer.h"
#include "tuning.h"

namespace bitplan::training_methods {

/// A float32 tensor [n] of its own, from numbers of any shape; with gradients where it is `learned`.
at::Tensor QuantizerNumbers(const at::Tensor& numbers, bool learned);
at::Tensor QuantizerNumber(double number, bool learned);

/// Scales that are too small, or NaN as of 0 / 0, become tuning::kLeastScale; in place.
void KeepAboveZero(const at::Tensor& scales);

std::vector<double> ToDoubles(const at::Tensor& numbers);
double ToDouble(const at::Tensor& number);  ///< [1]

/// The grid of a weight, as plans have it.
LearnedGrid ToLearnedGrid(const QuantizedTensor& grid);

/// The same of integers with one zero point, which formats without zero points leave out.
LearnedGrid ToLearnedGrid(const Format& format, const at::Tensor& scales, std::int64_t zero_point);

/// Throws Error unless `started`: Finish was called without values.
void CheckStarted(bool started);

}  // namespace bitplan::training_methods
