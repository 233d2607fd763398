#include "fast_product.h"

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/cpu/Utils.h>
#include <ATen/native/quantized/cpu/qconv.h>

#include <cmath>
#include <string_view>
#include <utility>

#include "call_operator.h"
#include "integer/layer_operands.h"
#include "quantize/dynamic_range.h"

namespace bitplan::fast {

namespace {

using Scalars = torch::List<std::optional<at::Scalar>>;

/// How LibTorch names what follows a product.
struct PostOperation {
  std::string_view name = "none";
  Scalars scalars;
};

bool IsRectifier(const Bounds& bounds) { return bounds.least == 0 && std::isinf(bounds.most); }
bool IsClamp(const Bounds& bounds) { return std::isfinite(bounds.least) && std::isfinite(bounds.most); }

PostOperation PostOperationOf(const Bounds& bounds) {
  PostOperation operation;
  if (IsRectifier(bounds)) {
    operation.name = "relu";
  } else if (IsClamp(bounds)) {
    operation.name = "hardtanh";
    operation.scalars.push_back(at::Scalar(bounds.least));
    operation.scalars.push_back(at::Scalar(bounds.most));
  }
  return operation;
}

double OutputScale(const Epilogue& epilogue) { return epilogue.output ? epilogue.output->scale : 1.0; }
std::int64_t OutputZero(const Epilogue& epilogue) { return epilogue.output ? epilogue.output->zero : 0; }
at::ScalarType OutputType(const Epilogue& epilogue) { return epilogue.output ? at::kByte : at::kFloat; }

at::Tensor PackedConvolution(const at::Tensor& weight, const at::Tensor& scale, const ByteGrid& input,
                             const network::Sliding& sliding) {
  return CallOperator("onednn::qconv_prepack", "",
                      {weight, scale, input.scale, input.zero, sliding.stride, sliding.padding, sliding.dilation,
                       sliding.groups, c10::IValue()})[0]
      .toTensor();
}

at::Tensor PackedLinear(const at::Tensor& weight) {
  return CallOperator("onednn::qlinear_prepack", "", {weight, c10::IValue()})[0].toTensor();
}

/// A convolution over one axis as one over two, the first of length 1.
std::optional<network::Sliding> InTwoAxes(std::optional<network::Sliding> sliding) {
  if (!sliding || sliding->stride.size() != 1) return sliding;
  sliding->stride.insert(sliding->stride.begin(), 1);
  sliding->padding.insert(sliding->padding.begin(), 0);
  sliding->dilation.insert(sliding->dilation.begin(), 1);
  return sliding;
}

std::optional<std::string> WhyNot(const QuantizedTensor& weight, const network::LayerProduct& product) {
  if (weight.format.bits > 8) return "its weight has more than 8 bits";
  if (weight.format.scheme != Scheme::Symmetric) return "its weight's zero points are not 0";
  if (!product.IsLinear() && !(product.sliding() && product.sliding()->stride.size() <= 2))
    return "no 8-bit kernel computes it";
  return std::nullopt;
}

}  // namespace

bool HasKernel(const Bounds& bounds) {
  return IsRectifier(bounds) || IsClamp(bounds) || (std::isinf(bounds.least) && std::isinf(bounds.most));
}

bool HasByteKernels() { return at::hasMKLDNN() && at::cpu::is_avx512_vnni_supported(); }

std::variant<FastProduct, std::string> FastProduct::Of(const Network& network, const QuantizedState& state,
                                                       const network::LayerOperator& use, bool dynamic) {
  if (!HasByteKernels()) return "this processor has no 8-bit dot products";
  const Layer& layer = network.layers()[static_cast<std::size_t>(use.layer)];
  const auto product = network::LayerProduct::Of(network, use.layer, use.use);
  if (!product) return "it is no product of its input and its weight alone";
  QuantizedState read = state;
  const int site = layer.uses[use.use].input_site;
  if (dynamic && product->IsLinear() && !state.inputs.contains(site))
    read.inputs[site] = {quantize::DynamicFormat(), {}};
  auto found = integer::OperandsOf(network, read, use);
  if (const auto* const reason = std::get_if<std::string>(&found)) return *reason;
  const integer::LayerOperands& operands = std::get<integer::LayerOperands>(found);
  if (const auto reason = WhyNot(operands.weight, *product)) return *reason;
  FastProduct made;
  made.input_format_ = operands.input.format;
  if (HasByteGrid(operands.input)) {
    made.input_ = ByteGridOf(operands.input);
  } else if (operands.input.format.bits > 8) {
    return "its input has more than 8 bits";
  } else if (!product->IsLinear()) {
    return "the range of its input is found at run time";
  }
  made.sliding_ = InTwoAxes(product->sliding());
  made.spatial_axes_ = product->sliding() ? static_cast<std::int64_t>(product->sliding()->stride.size()) : 0;
  made.scale_ = operands.channel_scale.to(at::kFloat);
  made.zero_point_ = at::zeros({made.scale_.numel()}, at::kInt);
  at::Tensor codes = operands.weight.q.to(at::kChar).contiguous();
  if (made.spatial_axes_ == 1) codes = codes.unsqueeze(2);
  made.bias_ = operands.bias.expand({codes.size(0)}).to(at::kFloat).contiguous();
  if (made.sliding_) made.kernel_ = codes.sizes().slice(2).vec();
  made.weight_ =
      made.sliding_ ? PackedConvolution(codes, made.scale_, *made.input_, *made.sliding_) : PackedLinear(codes);
  return made;
}

at::Tensor FastProduct::operator()(const at::Tensor& x, const Epilogue& epilogue) const {
  if (sliding_) return Convolved(x, epilogue);
  if (input_) return Linear(x, *input_, epilogue);
  const ByteGrid grid = ByteGridOf({input_format_, quantize::DynamicRange(x, input_format_)});
  return Linear(Bytes(x, grid), grid, epilogue);
}

at::Tensor FastProduct::Convolved(const at::Tensor& x, const Epilogue& epilogue) const {
  const PostOperation post = PostOperationOf(epilogue.bounds);
  const bool batched = IsBatched(x.sizes());
  at::Tensor images = batched ? x : x.unsqueeze(0);
  if (spatial_axes_ == 1) images = images.unsqueeze(2);
  at::Tensor result = at::native::QConvoneDNN::run_pointwise(
      images, input_->scale, input_->zero, weight_, scale_, zero_point_, bias_,
      torch::List<std::int64_t>(sliding_->stride), torch::List<std::int64_t>(sliding_->padding),
      torch::List<std::int64_t>(sliding_->dilation), sliding_->groups, OutputScale(epilogue), OutputZero(epilogue),
      OutputType(epilogue), post.name, post.scalars, "");
  if (spatial_axes_ == 1) result = result.squeeze(2);
  return batched ? result : result.squeeze(0);
}

bool FastProduct::IsBatched(at::IntArrayRef input) const {
  return static_cast<std::int64_t>(input.size()) == spatial_axes_ + 2;
}

std::vector<std::int64_t> FastProduct::ResultShape(at::IntArrayRef input) const {
  std::vector<std::int64_t> shape = input.vec();
  if (!sliding_) {
    shape.back() = bias_.numel();
    return shape;
  }
  const std::size_t channels = IsBatched(input) ? 1 : 0;
  shape[channels] = bias_.numel();
  const auto skipped = static_cast<std::size_t>(2 - spatial_axes_);  // axes that the network's convolution has not
  for (std::size_t i = skipped; i < 2; ++i) {
    std::int64_t& size = shape[channels + 1 + i - skipped];
    size = (size + 2 * sliding_->padding[i] - sliding_->dilation[i] * (kernel_[i] - 1) - 1) / sliding_->stride[i] + 1;
  }
  return shape;
}

at::Tensor FastProduct::Linear(const at::Tensor& x, const ByteGrid& grid, const Epilogue& epilogue) const {
  static const auto multiply =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("onednn::qlinear_pointwise", "")
          .typed<at::Tensor(at::Tensor, double, std::int64_t, at::Tensor, at::Tensor, at::Tensor,
                            std::optional<at::Tensor>, double, std::int64_t, std::optional<c10::ScalarType>,
                            std::string_view, Scalars, std::string_view)>();
  const PostOperation post = PostOperationOf(epilogue.bounds);
  return multiply.call(x, grid.scale, grid.zero, weight_, scale_, zero_point_, bias_, OutputScale(epilogue),
                       OutputZero(epilogue), OutputType(epilogue), post.name, post.scalars, "");
}

}  // namespace bitplan::fast
