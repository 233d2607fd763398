#pragma once

#include <ATen/core/Tensor.h>

#include "bitplan/format.h"
#include "calibration/histogram.h"
#include "calibration/range.h"

namespace bitplan::training_methods {

/// What an input's quantizer sees before training.
class FirstValues {
 public:
  /// A batch [N, …]. Throws Error when a value is not finite.
  void Add(const at::Tensor& batch);

  // These throw Error when there was no batch.
  bool GoBelowZero() const;
  double MeanMagnitude() const;
  calibration::Distribution Values() const;

  /// As the format's calibrator finds it.
  calibration::QuantizationRange RangeOf(const Format& format) const;

 private:
  calibration::Histogram histogram_;
  double sum_of_magnitudes_ = 0;
};

}  // namespace bitplan::training_methods
