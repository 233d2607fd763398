#include "learned_numbers.h"

#include <ATen/ATen.h>

#include <limits>

#include "bitplan/error.h"
#include "tuning.h"

namespace bitplan::training_methods {

at::Tensor QuantizerNumbers(const at::Tensor& numbers, bool learned) {
  at::Tensor own = numbers.detach().to(at::kFloat).flatten().clone();
  return own.requires_grad_(learned);
}

at::Tensor QuantizerNumber(double number, bool learned) { return QuantizerNumbers(at::full({1}, number), learned); }

void KeepAboveZero(const at::Tensor& scales) {
  const at::NoGradGuard no_grad;
  scales.nan_to_num_(tuning::kLeastScale, std::numeric_limits<float>::max(), tuning::kLeastScale)
      .clamp_min_(tuning::kLeastScale);
}

std::vector<double> ToDoubles(const at::Tensor& numbers) {
  const at::Tensor flat = numbers.detach().to(at::kCPU, at::kDouble).flatten().contiguous();
  return {flat.const_data_ptr<double>(), flat.const_data_ptr<double>() + flat.numel()};
}

double ToDouble(const at::Tensor& number) { return number.detach().item<double>(); }

LearnedGrid ToLearnedGrid(const QuantizedTensor& grid) {
  LearnedGrid learned{ToDoubles(grid.scale), {}, {}, {}};
  if (grid.format.HasZeroPoint())
    for (const double zero : ToDoubles(grid.zero_point)) learned.zero_points.push_back(static_cast<std::int64_t>(zero));
  if (grid.threshold.defined()) learned.thresholds = ToDoubles(grid.threshold);
  if (grid.negative_scale.defined()) learned.negative_scales = ToDoubles(grid.negative_scale);
  return learned;
}

LearnedGrid ToLearnedGrid(const Format& format, const at::Tensor& scales, std::int64_t zero_point) {
  LearnedGrid learned{ToDoubles(scales), {}, {}, {}};
  if (format.HasZeroPoint()) learned.zero_points.assign(learned.scales.size(), zero_point);
  return learned;
}

void CheckStarted(bool started) {
  if (!started) throw Error("a quantizer in training needs first values; none were given");
}

}  // namespace bitplan::training_methods
