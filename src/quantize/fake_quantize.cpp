#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>
#include <limits>
#include <optional>

#include "bitplan/quantize.h"
#include "calibration/codebook.h"
#include "quantize/dynamic_range.h"
#include "quantize/round_to_grid.h"
#include "quantize/straight_through.h"
#include "tuning.h"

namespace bitplan {

namespace {

bool IsDenseFloat(const at::Tensor& values) {
  return values.is_cpu() && values.scalar_type() == at::kFloat && values.is_non_overlapping_and_dense();
}

template <typename Round>
at::Tensor EachRounded(const at::Tensor& values, const Round& round) {
  at::Tensor result = at::empty_like(values);  // the same strides
  const float* const from = values.const_data_ptr<float>();
  float* const to = result.mutable_data_ptr<float>();
  at::parallel_for(0, values.numel(), quantize::tuning::kValuesOfAThread,
                   [&](std::int64_t begin, std::int64_t end) { round(from + begin, to + begin, end - begin); });
  return result;
}

/// The values that torch.fake_quantize_per_tensor_affine gives; that also writes a mask for its gradient, in every run,
/// which takes it twice as long.
at::Tensor Rounded(const at::Tensor& x, const Format& format, const ActivationRange& range) {
  const at::Tensor values = x.detach();
  if (!IsDenseFloat(values))
    return at::fake_quantize_per_tensor_affine(values, range.scale, range.zero_point, format.QuantMin(),
                                               format.QuantMax());
  const auto scale = static_cast<float>(range.scale);
  const quantize::Grid grid{scale, static_cast<float>(format.QuantMin() - range.zero_point),
                            static_cast<float>(format.QuantMax() - range.zero_point)};
  return EachRounded(
      values, [&](const float* from, float* to, std::int64_t count) { quantize::RoundToGrid(from, to, count, grid); });
}

/// The gradient where x is not clipped.
at::Tensor GradientInside(const at::Tensor& x, const at::Tensor& gradient, const quantize::Grid& grid) {
  const at::Tensor aligned = gradient.strides() == x.strides() ? gradient : at::empty_like(x).copy_(gradient);
  const float* const given = aligned.const_data_ptr<float>();
  const float* const values = x.const_data_ptr<float>();
  return EachRounded(x, [&](const float* from, float* to, std::int64_t count) {
    quantize::GradientOnGrid(from, given + (from - values), to, count, grid);
  });
}

class RoundedWithGradient : public torch::autograd::Function<RoundedWithGradient> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const Format& format,
                            const ActivationRange& range) {
    context->save_for_backward({x});
    context->saved_data["scale"] = range.scale;
    context->saved_data["low"] = format.QuantMin() - range.zero_point;
    context->saved_data["high"] = format.QuantMax() - range.zero_point;
    return Rounded(x, format, range);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const at::Tensor x = context->get_saved_variables()[0].detach();
    const quantize::Grid grid{static_cast<float>(context->saved_data["scale"].toDouble()),
                              static_cast<float>(context->saved_data["low"].toInt()),
                              static_cast<float>(context->saved_data["high"].toInt())};
    if (IsDenseFloat(x)) return {GradientInside(x, gradients[0], grid), at::Tensor(), at::Tensor()};
    const at::Tensor steps = (x * (1.0F / grid.scale)).round_();
    const at::Tensor inside = steps.ge(grid.low).logical_and_(steps.le(grid.high));
    return {gradients[0] * inside, at::Tensor(), at::Tensor()};
  }
};

/// Nothing for types that are not floating-point formats of few bits.
std::optional<quantize::Minifloats> MinifloatsOf(const Format& format, double scale) {
  const auto bits = calibration::MinifloatBitsOf(format.type);
  if (!bits) return std::nullopt;
  return quantize::Minifloats{static_cast<float>(scale), static_cast<float>(calibration::LargestLevel(format.type)),
                              std::ldexp(1.0F, 1 - bits->Bias()), std::ldexp(1.0F, -bits->mantissa)};
}

/// By arithmetic, where the format allows it and the values lie in memory as the loops need them.
std::optional<at::Tensor> RoundedByArithmetic(const at::Tensor& values, const Format& format, double scale) {
  if (!IsDenseFloat(values)) return std::nullopt;
  if (format.type == NumberType::PowerOfTwo) {
    const quantize::PowersOfTwo levels{static_cast<float>(scale), std::ldexp(1.0F, 2 - (1 << (format.bits - 1)))};
    if (levels.least < std::numeric_limits<float>::min()) return std::nullopt;
    return EachRounded(values, [&](const float* from, float* to, std::int64_t count) {
      quantize::RoundToPowersOfTwo(from, to, count, levels);
    });
  }
  const auto levels = MinifloatsOf(format, scale);
  if (!levels) return std::nullopt;
  return EachRounded(values, [&](const float* from, float* to, std::int64_t count) {
    quantize::RoundToMinifloats(from, to, count, *levels);
  });
}

at::Tensor OnCodebook(const at::Tensor& x, const Format& format, double scale) {
  const at::Tensor values = x.detach();
  const double largest = calibration::LargestLevel(format.type);
  if (auto rounded = RoundedByArithmetic(values, format, scale)) {
    const bool gradient = at::GradMode::is_enabled() && x.requires_grad();
    return quantize::StraightThrough(*rounded, x, gradient ? (values / scale).abs().le(largest) : at::Tensor());
  }
  const calibration::Codebook book = calibration::CodebookOf(format.type, format.bits);
  const at::Tensor ratio = (values / scale).contiguous();  // bucketize warns of others, aloud
  const at::Tensor levels = at::tensor(book.levels, values.options());
  const at::Tensor nearest =
      levels.take(at::bucketize(ratio, at::tensor(book.Boundaries<float>(), values.options()))).mul_(scale);
  return quantize::StraightThrough(at::where(values.isnan(), values, nearest), x, ratio.abs().le(largest));
}

}  // namespace

at::Tensor FakeQuantize(const at::Tensor& x, const Format& format, const ActivationRange& range) {
  if (format.type == NumberType::Float32) return x;
  if (range.offset != 0) {
    ActivationRange without = range;
    without.offset = 0;
    return FakeQuantize(x - static_cast<float>(range.offset), format, without);
  }
  if (!format.HasScale())
    return quantize::StraightThrough(
        x.detach().to(format.type == NumberType::Float16 ? at::kHalf : at::kBFloat16).to(x.scalar_type()), x);
  const ActivationRange used = format.calibrator == Calibrator::Dynamic ? quantize::DynamicRange(x, format) : range;
  if (!format.IsInteger()) return OnCodebook(x, format, used.scale);
  return at::GradMode::is_enabled() && x.requires_grad() ? RoundedWithGradient::apply(x, format, used)
                                                         : Rounded(x, format, used);
}

}  // namespace bitplan
