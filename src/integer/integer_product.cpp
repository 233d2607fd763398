#include "integer_product.h"

#include <ATen/ATen.h>
#include <ATen/Context.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "quantize/weight_grid.h"

namespace bitplan::integer {

namespace {

constexpr double kExactInFloat = 0x1p24, kExactInDouble = 0x1p53;

double Farthest(const Format& format, std::int64_t from) {
  return static_cast<double>(std::max(std::abs(format.QuantMin() - from), std::abs(format.QuantMax() - from)));
}

double Largest(const at::Tensor& numbers) { return numbers.max().item<double>(); }

}  // namespace

std::variant<IntegerProduct, std::string> IntegerProduct::Of(const Network& network, const QuantizedState& state,
                                                             const network::LayerOperator& use,
                                                             const IntegerOptions& options) {
  auto operands = OperandsOf(network, state, use);
  if (const auto* const reason = std::get_if<std::string>(&operands)) return *reason;
  if (std::get<LayerOperands>(operands).input.format.calibrator == Calibrator::Dynamic)
    return "the range of its input is found at run time";
  auto product = network::LayerProduct::Of(network, use.layer, use.use);
  if (!product) return "it is no product of its input and its weight alone";
  IntegerProduct made(std::move(*product), std::get<LayerOperands>(std::move(operands)), options);
  const double reach =
      Largest(made.operands_.weight.q.to(at::kDouble).abs()) * Farthest(made.operands_.input.format, 0);
  if (4 * reach * static_cast<double>(made.operands_.weight.q.numel()) >= kExactInDouble)
    return "its sums of products may not fit 53 bits";
  return made;
}

IntegerProduct::IntegerProduct(network::LayerProduct product, LayerOperands operands, const IntegerOptions& options)
    : product_(std::move(product)),
      operands_(std::move(operands)),
      accumulator_{options.accumulator_bits, options.overflow} {
  const QuantizedTensor& weight = operands_.weight;
  weight_zero_ = quantize::AlongWeight(weight.zero_point, weight.q.sizes(), weight).to(at::kInt);
  SetGrid();
  SetBounds();
}

void IntegerProduct::SetGrid() {
  const double input_scale = GridOf(operands_.input).Scale();
  grid_.scale = operands_.channel_scale * input_scale;
  grid_.channel_axis = grid_.scale.numel() > 1 ? operands_.channel_axis : 0;
  const at::Tensor used =
      operands_.weight.q.to(at::kInt).ne(weight_zero_).movedim(operands_.weight.channel_axis, 0).flatten(1).any(1);
  if (grid_.scale.numel() == used.numel() && used.numel() == operands_.bias.numel()) {
    // A channel that multiplies by zeros only has any scale: one at which its bias fits.
    const at::Tensor of_bias =
        (operands_.bias.abs() / static_cast<double>(accumulator_.Largest() / 2)).clamp_min(1e-30);
    grid_.scale = at::where(used, grid_.scale, of_bias);
  }
  std::vector<std::int64_t> shape(static_cast<std::size_t>(-operands_.channel_axis), 1);
  shape[0] = -1;
  bias_ = (operands_.bias / grid_.scale).round_().clamp_(-0x1p60, 0x1p60).to(at::kLong).view(shape);
}

void IntegerProduct::SetBounds() {
  const auto of_channels = [&](const at::Tensor& numbers) {  // sums of magnitudes, the largest of any channel
    return Largest(numbers.abs().to(at::kDouble).movedim(operands_.weight.channel_axis, 0).flatten(1).sum(1));
  };
  const Format& format = operands_.input.format;
  const auto input_zero = static_cast<double>(operands_.input.range.zero_point);
  const double farthest = Farthest(format, 0);
  const at::Tensor codes = operands_.weight.q.to(at::kInt);
  const double bias = Largest(bias_.abs());
  const double centered = of_channels(codes - weight_zero_) * Farthest(format, operands_.input.range.zero_point);
  const double zeros = of_channels(weight_zero_.expand_as(codes));
  const double on_the_way = (of_channels(codes) + zeros) * (farthest + std::abs(input_zero)) + bias;
  const auto held = static_cast<double>(accumulator_.Largest());
  may_overflow_ = on_the_way > held;
  // oneDNN adds up products as they are; other float convolutions may transform first (Winograd).
  if (centered < kExactInFloat && at::globalContext().userEnabledMkldnn()) exact_type_ = at::kFloat;
  grid_.reach = Largest(grid_.scale) * std::min(centered + bias, held + 1);
}

at::Tensor IntegerProduct::Products(const at::Tensor& codes, const at::Tensor& weight, at::ScalarType type) const {
  return product_(codes.to(type), weight.to(type)).to(at::kLong);
}

at::Tensor IntegerProduct::operator()(const at::Tensor& codes, std::int64_t& overflows) const {
  const at::ScalarType kept = accumulator_.bits <= 32 ? at::kInt : at::kLong;
  if (!may_overflow_ || codes.numel() == 0)
    return product_((codes - operands_.input.range.zero_point).to(exact_type_),
                    (operands_.weight.q.to(at::kInt) - weight_zero_).to(exact_type_))
        .to(kept)
        .add_(bias_);
  const Accumulated accumulated = InOrder(codes);
  overflows += accumulated.overflowed.sum().item<std::int64_t>();
  return accumulated.sums.to(kept);
}

Accumulated IntegerProduct::InOrder(const at::Tensor& codes) const {
  const std::int64_t input_zero = operands_.input.range.zero_point;
  const at::Tensor zeros = at::full_like(codes, input_zero);
  const at::Tensor weight_zeros = weight_zero_.expand_as(operands_.weight.q);
  const bool asymmetric = weight_zero_.count_nonzero().item<std::int64_t>() > 0;
  Accumulated accumulated = ProductsInOrder(codes);
  if (input_zero != 0) accumulated.Add(Products(zeros, operands_.weight.q, at::kDouble).neg_(), accumulator_);
  if (asymmetric) accumulated.Add(Products(codes, weight_zeros, at::kDouble).neg_(), accumulator_);
  if (asymmetric && input_zero != 0) accumulated.Add(Products(zeros, weight_zeros, at::kDouble), accumulator_);
  accumulated.Add(bias_, accumulator_);
  return accumulated;
}

Accumulated IntegerProduct::ProductsInOrder(const at::Tensor& codes) const {
  const at::Tensor weight = operands_.weight.q.to(at::kInt);
  if (product_.IsLinear()) {
    std::vector<std::int64_t> shape = codes.sizes().vec();
    shape.back() = weight.size(0);
    const Accumulated sums =
        SumInOrder(codes.reshape({1, -1, codes.size(-1)}).transpose(1, 2), weight.unsqueeze(0), accumulator_);
    const auto shaped = [&](const at::Tensor& each) { return each.squeeze(0).t().contiguous().view(shape); };
    return {shaped(sums.sums), shaped(sums.overflowed)};
  }
  if (product_.sliding()) {
    const bool batched = codes.dim() == weight.dim();
    const Accumulated sums = SlidingInOrder(batched ? codes : codes.unsqueeze(0), *product_.sliding());
    return batched ? sums : Accumulated{sums.sums.squeeze(0), sums.overflowed.squeeze(0)};
  }
  // Any other product, one term at a time: with the weight's other terms set to zero.
  std::vector<std::int64_t> terms = weight.sizes().vec();
  terms[static_cast<std::size_t>(operands_.weight.channel_axis)] = 1;
  const std::int64_t count = c10::multiply_integers(terms);
  std::optional<Accumulated> sums;
  for (std::int64_t k = 0; k < count; ++k) {
    at::Tensor chosen = at::zeros({count}, at::kInt);
    chosen[k] = 1;
    const at::Tensor product = Products(codes, weight * chosen.view(terms), at::kDouble);
    if (!sums) sums = Accumulated::Zeros(product.sizes());
    sums->Add(product, accumulator_);
  }
  return *sums;
}

Accumulated IntegerProduct::SlidingInOrder(const at::Tensor& codes, const network::Sliding& sliding) const {
  const at::Tensor weight = operands_.weight.q.to(at::kInt);
  const auto spatial = sliding.stride.size();
  std::vector<std::int64_t> padding;  // the last axis first
  for (std::size_t i = spatial; i-- > 0;) padding.insert(padding.end(), 2, sliding.padding[i]);
  const at::Tensor padded = at::constant_pad_nd(codes, padding, 0).contiguous();
  std::vector<std::int64_t> sizes{padded.size(1)}, strides{padded.stride(1)}, shape{weight.size(0)};
  for (std::size_t i = 0; i < spatial; ++i) {
    const auto axis = static_cast<std::int64_t>(i) + 2;
    sizes.push_back(weight.size(axis));
    strides.push_back(padded.stride(axis) * sliding.dilation[i]);
  }
  for (std::size_t i = 0; i < spatial; ++i) {
    const auto axis = static_cast<std::int64_t>(i) + 2;
    shape.push_back((padded.size(axis) - sliding.dilation[i] * (weight.size(axis) - 1) - 1) / sliding.stride[i] + 1);
    sizes.push_back(shape.back());
    strides.push_back(padded.stride(axis) * sliding.stride[i]);
  }
  const std::int64_t groups = sliding.groups, terms = weight.numel() / weight.size(0);
  const at::Tensor factors = weight.reshape({groups, weight.size(0) / groups, terms});
  std::vector<at::Tensor> sums, overflowed;
  for (std::int64_t n = 0; n < padded.size(0); ++n) {
    const at::Tensor patches = padded[n].as_strided(sizes, strides).reshape({groups, terms, -1});
    const Accumulated of_sample = SumInOrder(patches, factors, accumulator_);
    sums.push_back(of_sample.sums.view(shape));
    overflowed.push_back(of_sample.overflowed.view(shape));
  }
  return {at::stack(sums), at::stack(overflowed)};
}

}  // namespace bitplan::integer
