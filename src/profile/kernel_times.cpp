#include "kernel_times.h"

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/util/Exception.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "tuning.h"

namespace bitplan::profile {

namespace {

using torch::jit::Stack;

double Milliseconds(const std::function<void()>& call, std::int64_t calls) {
  const auto begin = std::chrono::steady_clock::now();
  for (std::int64_t i = 0; i < calls; ++i) call();
  const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - begin;
  return elapsed.count() / static_cast<double>(calls);
}

KernelTime Time(const std::function<void()>& call, const LatencyOptions& options) {
  const double once =
      std::min(Milliseconds(call, 1), Milliseconds(call, 2));  // the first also sets up what later calls keep
  const auto calls = static_cast<std::int64_t>(std::clamp(tuning::kLeastOfRepeat / std::max(once, 1e-6), 1.0, 1e4));
  std::vector<double> times;
  for (std::int64_t i = 0; i < options.repeats; ++i) times.push_back(Milliseconds(call, calls));
  std::sort(times.begin(), times.end());
  const auto quantile = [&](double share) {
    return times[static_cast<std::size_t>(share * static_cast<double>(times.size() - 1) + 0.5)];
  };
  return {quantile(0.5), (quantile(0.75) - quantile(0.25)) / 2};
}

/// LibTorch warns that quantized tensors will go; the library prints nothing.
class Silent : public c10::WarningHandler {
  void process(const c10::Warning& /*warning*/) override {}
};

void Call(const char* name, const char* overload, Stack& stack) {
  c10::Dispatcher::singleton().findSchemaOrThrow(name, overload).callBoxed(stack);
}

/// Channels last where the kernels want it, as their outputs are.
at::Tensor QuantizedInput(const at::Tensor& input) {
  const at::Tensor laid_out = input.dim() == 4   ? input.contiguous(at::MemoryFormat::ChannelsLast)
                              : input.dim() == 5 ? input.contiguous(at::MemoryFormat::ChannelsLast3d)
                                                 : input.contiguous();
  return at::quantize_per_tensor(laid_out, std::max(laid_out.abs().max().item<double>() / 127, 1e-8), 128, at::kQUInt8);
}

at::Tensor QuantizedWeight(const at::Tensor& weight) {
  const at::Tensor scales = weight.flatten(1).abs().amax(1).to(at::kDouble).div(127).clamp_min(1e-8);
  return at::quantize_per_channel(weight.contiguous(), scales, at::zeros({weight.size(0)}, at::kLong), 0, at::kQInt8);
}

}  // namespace

KernelTime TimeFloat(const network::LayerProduct& product, const at::Tensor& input, const at::Tensor& weight,
                     const LatencyOptions& options) {
  return Time([&] { product(input, weight); }, options);
}

std::optional<KernelTime> TimeInt8(const network::LayerProduct& product, const at::Tensor& input,
                                   const at::Tensor& weight, const LatencyOptions& options) {
  const auto& sliding = product.sliding();
  if (!product.IsLinear() && (!sliding || input.dim() != weight.dim())) return std::nullopt;
  Silent silent;
  const c10::WarningUtils::WarningHandlerGuard no_warnings(&silent);
  const std::string op = product.IsLinear() ? "linear" : fmt::format("conv{}d", weight.dim() - 2);
  const std::string prepack = fmt::format("quantized::{}_prepack", op), kernel = fmt::format("quantized::{}", op);
  try {
    Stack packed{QuantizedWeight(weight), c10::IValue()};
    if (sliding)
      for (const auto* numbers : {&sliding->stride, &sliding->padding, &sliding->dilation})
        packed.emplace_back(c10::List<std::int64_t>(*numbers));
    if (sliding) packed.emplace_back(sliding->groups);
    Call(prepack.c_str(), "", packed);
    const at::Tensor quantized = QuantizedInput(input);
    const char* const overload = op == "conv2d" || op == "conv3d" ? "new" : "";
    return Time(
        [&] {
          Stack stack{quantized, packed.back(), 0.1, std::int64_t{128}};
          Call(kernel.c_str(), overload, stack);
        },
        options);
  } catch (const c10::Error&) {  // no such kernel in this build, or not for this shape
    return std::nullopt;
  }
}

}  // namespace bitplan::profile
