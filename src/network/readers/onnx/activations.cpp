#include <cmath>

#include "readers/onnx/node.h"

namespace bitplan::network {

namespace {

using torch::jit::Value;
using Results = std::vector<OnnxValue>;

Results HardSigmoid(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  const double slope = node.Number("alpha", 0.2), offset = node.Number("beta", 0.5);
  if (std::abs(slope - 1.0 / 6) < 1e-6 && offset == 0.5) return {builder.Call("aten::hardsigmoid", {node.Input(0)})};
  Value* const line = builder.Call("aten::add", {builder.Call("aten::mul", {node.Input(0), slope}), offset});
  return {builder.Call("aten::clamp", {line, 0, 1})};
}

/// Elu's operator in ATen has all of Selu's factors.
Results Selu(const OnnxNode& node) {
  const double alpha = node.Number("alpha", 1.67326319217681884765625),
               gamma = node.Number("gamma", 1.05070102214813232421875);
  return {node.builder().Call("aten::elu", {node.Input(0), alpha, gamma, 1.0})};
}

Results Swish(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  const double alpha = node.Number("alpha", 1.0);
  if (alpha == 1) return {builder.Call("aten::silu", {node.Input(0)})};
  Value* const gate = builder.Call("aten::sigmoid", {builder.Call("aten::mul", {node.Input(0), alpha})});
  return {builder.Call("aten::mul", {node.Input(0), gate})};
}

/// A slope a channel where that is what it is; any shape that goes with the input's otherwise.
Results PRelu(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  Value* const input = node.Input(0);
  Value* const slope = node.Input(1);
  Value* const scaled = builder.Call("aten::mul", {input, slope});
  return {builder.Call("aten::where", {builder.Call("aten::ge", {input, 0}), input, scaled})};
}

Results Shrink(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  Value* const input = node.Input(0);
  const double threshold = node.Number("lambd", 0.5), bias = node.Number("bias", 0.0);
  Value* const zero = builder.Call("aten::zeros_like", {input});
  Value* const above = builder.Call(
      "aten::where", {builder.Call("aten::gt", {input, threshold}), builder.Call("aten::sub", {input, bias}), zero});
  return {builder.Call(
      "aten::where", {builder.Call("aten::lt", {input, -threshold}), builder.Call("aten::add", {input, bias}), above})};
}

Results Clip(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  Value* result = node.Input(0);
  const auto bound = [&](std::size_t index, const char* attribute, const char* op) {
    if (node.HasAttribute(attribute)) {
      result = builder.Call(op, {result, node.Number(attribute, 0)});
    } else if (node.Has(index)) {
      Value* const limit = node.Input(index);
      const auto constant = builder.ConstantOf(limit);
      result =
          constant ? builder.Call(op, {result, constant->toTensor().cpu().item()}) : builder.Call(op, {result, limit});
    }
  };
  bound(1, "min", "aten::clamp_min");
  bound(2, "max", "aten::clamp_max");
  return {result};
}

OnnxOperator WithAlpha(const char* op, double otherwise) {
  return [=](const OnnxNode& node) -> Results {
    return {node.builder().Call(op, {node.Input(0), node.Number("alpha", otherwise)})};
  };
}

}  // namespace

void AddActivations(OnnxOperators& all) {
  all["LeakyRelu"] = WithAlpha("aten::leaky_relu", 0.01);
  all["Elu"] = WithAlpha("aten::elu", 1.0);
  all["Celu"] = WithAlpha("aten::celu", 1.0);
  all["ThresholdedRelu"] = [](const OnnxNode& node) -> Results {
    return {node.builder().Call("aten::threshold", {node.Input(0), node.Number("alpha", 1.0), 0.0})};
  };
  all["Selu"] = Selu;
  all["PRelu"] = PRelu;
  all["HardSigmoid"] = HardSigmoid;
  all["Swish"] = Swish;
  all["SwiGLU"] = [](const OnnxNode& node) -> Results {
    return {node.builder().Call("aten::mul", {Swish(node)[0].tensor, node.Input(1)})};
  };
  all["Shrink"] = Shrink;
  all["Clip"] = Clip;
  all["Gelu"] = [](const OnnxNode& node) -> Results {
    return {node.builder().Call("aten::gelu", {node.Input(0)}, {{"approximate", node.Text("approximate", "none")}})};
  };
}

}  // namespace bitplan::network
