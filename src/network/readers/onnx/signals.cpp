// DFT, STFT and windows.
#include <ATen/ATen.h>

#include "readers/onnx/node.h"

namespace bitplan::network {

namespace {

using torch::jit::Value;
using Results = std::vector<OnnxValue>;

/// Complex numbers of pairs on the last axis; real ones of single numbers.
Value* FromParts(const OnnxNode& node, Value* parts) {
  OnnxBuilder& builder = node.builder();
  const auto count = builder.FixedSize(parts, builder.Rank(parts) - 1);
  if (count == 1) return builder.Call("aten::squeeze", {parts, -1});
  if (count != 2) node.Refuse("its input's last axis is neither of one number nor of two");
  return builder.Call("aten::view_as_complex", {builder.Call("aten::contiguous", {parts})});
}

/// How many numbers are transformed, where the node says so.
Value* LengthOf(const OnnxNode& node, std::size_t index) {
  return node.Has(index) ? node.Integer(index) : node.builder().Constant(c10::IValue());
}

Results Transform(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  const bool inverse = node.Int("inverse", 0) != 0, one_sided = node.Int("onesided", 0) != 0;
  const std::int64_t from_input = node.Has(2) ? static_cast<std::int64_t>(node.ConstantNumber(2)) : -2;
  const std::int64_t axis = builder.Axis(node.Input(0), node.opset() < 20 ? node.Int("axis", 1) : from_input);
  Value* const numbers = FromParts(node, node.Input(0));
  Value* const length = LengthOf(node, 1);
  if (inverse && one_sided)
    return {builder.Call("aten::unsqueeze", {builder.Call("aten::fft_irfft", {numbers, length, axis}), -1})};
  const bool is_real = builder.FixedSize(node.Input(0), builder.Rank(node.Input(0)) - 1) == 1;
  if (one_sided && !is_real) node.Refuse("a transform of complex numbers has two sides");
  const char* const op = inverse ? "aten::fft_ifft" : one_sided ? "aten::fft_rfft" : "aten::fft_fft";
  return {builder.Call("aten::view_as_real", {builder.Call(op, {numbers, length, axis})})};
}

/// [N, samples, 1 or 2] to [N, frames, frequencies, 2].
Results ShortTransform(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  if (!node.Has(2) && !node.Has(3)) node.Refuse("it has neither a window nor the length of its frames");
  const std::int64_t window = node.Has(2) ? builder.FixedSize(node.Input(2), 0).value_or(-1) : 0;
  if (window < 0) node.Refuse("its window's length is not fixed");
  const std::int64_t length = node.Has(3) ? static_cast<std::int64_t>(node.ConstantNumber(3)) : window;
  const std::int64_t step = static_cast<std::int64_t>(node.ConstantNumber(1));
  if (length < 1 || step < 1) node.Refuse("its frames' length or step is not positive");
  if (node.Has(2) && window != length) node.Refuse("its window is not of the length of its frames");
  Value* const frames = builder.Call("aten::unfold", {FromParts(node, node.Input(0)), 1, length, step});
  Value* const weighted = node.Has(2) ? builder.Call("aten::mul", {frames, node.Input(2)}) : frames;
  const bool is_real = builder.FixedSize(node.Input(0), 2) == 1;
  const bool one_sided = node.Int("onesided", 1) != 0 && is_real;
  return {
      builder.Call("aten::view_as_real", {builder.Call(one_sided ? "aten::fft_rfft" : "aten::fft_fft", {weighted})})};
}

/// a₀ − a₁·cos(2πi/n) + a₂·cos(4πi/n), n one less where the window is symmetric.
OnnxOperator CosineWindow(double a0, double a1, double a2) {
  return [=](const OnnxNode& node) -> Results {
    OnnxBuilder& builder = node.builder();
    Value* const size = node.Integer(0);
    Value* const period = node.Int("periodic", 1) != 0 ? size : builder.Call("aten::sub", {size, 1});
    Value* const numbers = builder.Call("aten::arange", {size}, {{"dtype", at::kDouble}, {"device", builder.device()}});
    Value* const angles = builder.Call("aten::div", {builder.Call("aten::mul", {numbers, 2 * M_PI}), period});
    const auto wave = [&](double factor, double frequency) {
      Value* const cosine = builder.Call("aten::cos", {builder.Call("aten::mul", {angles, frequency})});
      return builder.Call("aten::mul", {cosine, factor});
    };
    Value* const raised = builder.Call("aten::add", {builder.Call("aten::sub", {wave(a2, 2), wave(a1, 1)}), a0});
    const auto type = OnnxType(static_cast<onnx::ElementType>(node.Int("output_datatype", 1)));
    return {builder.Call("aten::to", {raised, type, false, false})};
  };
}

}  // namespace

void AddSignals(OnnxOperators& all) {
  all["DFT"] = Transform;
  all["STFT"] = ShortTransform;
  all["HannWindow"] = CosineWindow(0.5, 0.5, 0);
  all["HammingWindow"] = CosineWindow(25.0 / 46, 21.0 / 46, 0);
  all["BlackmanWindow"] = CosineWindow(0.42, 0.5, 0.08);
}

}  // namespace bitplan::network
