// Gemm, MatMul, Einsum, Det.
#include "readers/onnx/node.h"

namespace bitplan::network {

namespace {

using torch::jit::Value;

std::vector<OnnxValue> Gemm(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  Value* input = node.Input(0);
  Value* weight = node.Input(1);
  const double alpha = node.Number("alpha", 1.0), beta = node.Number("beta", 1.0);
  if (node.Int("transA", 0) != 0) input = builder.Call("aten::t", {input});
  const bool transposed = node.Int("transB", 0) != 0;
  const auto across = [&] { return builder.Call("aten::t", {weight}); };
  const bool is_layer =
      alpha == 1 &&
      (!node.Has(2) || (beta == 1 && builder.Rank(node.Input(2)) == 1 &&
                        builder.FixedSize(node.Input(2), 0) == builder.FixedSize(weight, transposed ? 0 : 1)));
  if (is_layer) return {builder.Call("aten::linear", {input, transposed ? weight : across(), node.InputOrNone(2)})};
  Value* product = builder.Call("aten::mm", {input, transposed ? across() : weight});
  if (alpha != 1) product = builder.Call("aten::mul", {product, alpha});
  if (!node.Has(2)) return {product};
  Value* const addend = beta == 1 ? node.Input(2) : builder.Call("aten::mul", {node.Input(2), beta});
  return {builder.Call("aten::add", {product, addend})};
}

}  // namespace

void AddProducts(OnnxOperators& all) {
  all["Gemm"] = Gemm;
  all["MatMul"] = [](const OnnxNode& node) -> std::vector<OnnxValue> {
    return {node.builder().Call("aten::matmul", {node.Input(0), node.Input(1)})};
  };
  all["Einsum"] = [](const OnnxNode& node) -> std::vector<OnnxValue> {
    std::vector<Value*> operands;
    for (std::size_t i = 0; i < node.inputs(); ++i) operands.push_back(node.Input(i));
    return {node.builder().Call("aten::einsum", {node.Text("equation", ""), node.builder().Tensors(operands)})};
  };
  all["Det"] = [](const OnnxNode& node) -> std::vector<OnnxValue> {
    return {node.builder().Call("aten::linalg_det", {node.Input(0)})};
  };
}

}  // namespace bitplan::network
