#include "first_values.h"

#include <ATen/ATen.h>

#include "tuning.h"

namespace bitplan::training_methods {

void FirstValues::Add(const at::Tensor& batch) {
  const at::Tensor values = batch.detach().to(at::kCPU, at::kFloat).contiguous();
  histogram_.Add({values.const_data_ptr<float>(), static_cast<std::size_t>(values.numel())});
  for (const at::Tensor& piece : values.flatten().split(tuning::kSummed))  // the sum takes a copy in double
    sum_of_magnitudes_ += piece.abs().sum(at::kDouble).item<double>();
}

bool FirstValues::GoBelowZero() const { return Values().min < 0; }

double FirstValues::MeanMagnitude() const {
  Values();  // throws where there are none
  return sum_of_magnitudes_ / static_cast<double>(histogram_.count());
}

calibration::Distribution FirstValues::Values() const { return histogram_.Values(); }

calibration::QuantizationRange FirstValues::RangeOf(const Format& format) const {
  return calibration::Calibrate(Values(), format);
}

}  // namespace bitplan::training_methods
