// Gemm, MatMul, Einsum, Attention.
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

/// [N, L, heads·D] to [N, heads, L, D].
Value* SplitHeads(OnnxBuilder& builder, Value* value, std::int64_t heads) {
  return builder.Call("aten::transpose",
                      {builder.Call("aten::unflatten", {value, -1, std::vector<std::int64_t>{heads, -1}}), 1, 2});
}

std::vector<OnnxValue> Attention(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  for (std::size_t i = 4; i < node.inputs(); ++i)
    if (node.Has(i)) node.Refuse("keys and values of earlier steps are not read");
  for (std::size_t i = 1; i < node.outputs(); ++i)
    if (node.HasOutput(i)) node.Refuse("only its first output is read");
  if (node.Number("softcap", 0) != 0 || node.Int("qk_matmul_output_mode", 0) != 0) node.Refuse("softcap is not read");
  Value *query = node.Input(0), *key = node.Input(1), *value = node.Input(2);
  const bool flat = builder.Rank(query) == 3;
  if (flat) {
    query = SplitHeads(builder, query, node.Int("q_num_heads", 1));
    key = SplitHeads(builder, key, node.Int("kv_num_heads", 1));
    value = SplitHeads(builder, value, node.Int("kv_num_heads", 1));
  }
  const bool causal = node.Int("is_causal", 0) != 0;
  if (causal && node.Has(3)) node.Refuse("a mask beside is_causal is not read");
  Value* const scale =
      node.HasAttribute("scale") ? builder.Constant(node.Number("scale", 0)) : builder.Constant(c10::IValue());
  const bool grouped = builder.FixedSize(query, 1) != builder.FixedSize(key, 1);
  Value* const mixed =
      builder.Call("aten::scaled_dot_product_attention", {query, key, value, node.InputOrNone(3), 0.0, causal},
                   {{"scale", scale}, {"enable_gqa", grouped}});
  if (!flat) return {mixed};
  return {builder.Call("aten::flatten", {builder.Call("aten::transpose", {mixed, 1, 2}), -2, -1})};
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
  all["Attention"] = Attention;
}

}  // namespace bitplan::network
