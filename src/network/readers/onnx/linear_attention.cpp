// CausalConvWithState, LinearAttention: what layers with a state make of a sequence.
#include <ATen/ATen.h>

#include <cmath>
#include <limits>

#include "readers/onnx/loop.h"
#include "readers/onnx/node.h"

namespace bitplan::network {

namespace {

using torch::jit::Value;
using Results = std::vector<OnnxValue>;
using Axes = std::vector<std::int64_t>;

/// A convolution of each channel with what came before, of which the last elements are the state.
Results CausalConvolution(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  Value *const input = node.Input(0), *const weight = node.Input(1);  // [N, C, L], [C, 1, k]
  const auto channels = builder.FixedSize(weight, 0), kernel = builder.FixedSize(weight, 2);
  if (!channels || !kernel || *kernel < 1) node.Refuse("its weight's sizes are not fixed");
  const std::int64_t before = *kernel - 1;
  Value* const padded = node.Has(3) ? builder.Call("aten::cat", {builder.Tensors({node.Input(3), input}), 2})
                                    : builder.Call("aten::constant_pad_nd", {input, Axes{before, 0}, 0.0});
  Value* output =
      builder.Call("aten::conv1d", {padded, weight, node.InputOrNone(2), Axes{1}, Axes{0}, Axes{1}, *channels});
  const std::string activation = node.Text("activation", "none");
  if (activation == "silu" || activation == "swish")
    output = builder.Call("aten::silu", {output});
  else if (activation != "none")
    node.Refuse("the activation '" + activation + "' is not known");
  Value* const start = builder.Call("aten::sub", {builder.Size(padded, 2), before});
  return {output, builder.Call("aten::slice", {padded, 2, start, std::numeric_limits<std::int64_t>::max(), 1})};
}

/// A matrix a head, to which each step adds a product of key and value, and from which the query reads.
class LinearAttentionReader {
 public:
  explicit LinearAttentionReader(const OnnxNode& node)
      : node_(node),
        builder_(node.builder()),
        heads_(node.Int("q_num_heads", 0)),
        own_heads_(node.Int("kv_num_heads", 0)),
        rule_(node.Text("update_rule", "gated_delta")) {
    if (heads_ < 1 || own_heads_ < 1 || heads_ % own_heads_ != 0)
      node.Refuse("its numbers of heads do not go together");
    if (rule_ != "linear" && rule_ != "gated" && rule_ != "delta" && rule_ != "gated_delta")
      node.Refuse("the update_rule '" + rule_ + "' is not known");
    query_ = Split(node.Input(0), heads_);
    key_ = Split(node.Input(1), own_heads_);
    value_ = Split(node.Input(2), own_heads_);
    if (rule_.starts_with("gated")) decay_ = Call("aten::exp", {Split(node.Input(4), own_heads_)});
    if (rule_.ends_with("delta")) {
      const auto last = builder_.FixedSize(node.Input(5), 2);
      beta_ = Split(node.Input(5), last == 1 ? 1 : own_heads_);
    }
  }

  Results Read() {
    const auto results =
        InsertLoop(builder_, builder_.Size(query_, 2), builder_.Constant(true), {State()},
                   [&](Value* trip, const std::vector<Value*>& taken) { return Step(trip, taken[0]); });
    Value* const steps = Call("aten::permute", {results[1], Axes{1, 0, 2, 3}});  // [N, steps, heads, D]
    return {Call("aten::flatten", {steps, 2, 3}), results[0]};
  }

 private:
  Value* Call(const char* op, const OnnxBuilder::Arguments& arguments) { return builder_.Call(op, arguments); }

  /// [N, steps, heads·D] to [N, heads, steps, D].
  Value* Split(Value* value, std::int64_t heads) {
    return Call("aten::transpose", {Call("aten::unflatten", {value, -1, Axes{heads, -1}}), 1, 2});
  }

  /// [N, heads, D of keys, D of values]
  Value* State() {
    if (node_.Has(3)) return node_.Input(3);
    Value* const sizes = builder_.Integers(
        {builder_.Size(query_, 0), builder_.Constant(own_heads_), builder_.Size(key_, 3), builder_.Size(value_, 3)});
    return builder_.Call("aten::zeros", {sizes}, {{"dtype", builder_.Type(query_)}, {"device", builder_.device()}});
  }

  double Scale() const {
    const double given = node_.Number("scale", 0);
    const auto size = builder_.FixedSize(query_, 3);
    if (given == 0 && !size) node_.Refuse("the size of its heads is not fixed");
    return given != 0 ? given : 1 / std::sqrt(static_cast<double>(*size));
  }

  OnnxIteration Step(Value* trip, Value* state) {
    const auto at = [&](Value* all) { return Call("aten::select", {all, 2, trip}); };
    Value *const key = at(key_), *value = at(value_);
    if (decay_) state = Call("aten::mul", {state, Call("aten::unsqueeze", {at(decay_), -1})});
    if (beta_) {
      Value* const kept =
          Call("aten::squeeze", {Call("aten::matmul", {Call("aten::unsqueeze", {key, -2}), state}), -2});
      value = Call("aten::mul", {at(beta_), Call("aten::sub", {value, kept})});
    }
    Value* const product =
        Call("aten::mul", {Call("aten::unsqueeze", {key, -1}), Call("aten::unsqueeze", {value, -2})});
    state = Call("aten::add", {state, product});
    Value* const seen = heads_ == own_heads_
                            ? state
                            : builder_.Call("aten::repeat_interleave", {state, heads_ / own_heads_}, {{"dim", 1}});
    Value* const query = Call("aten::unsqueeze", {Call("aten::mul", {at(query_), Scale()}), -2});
    return {nullptr, {state}, {Call("aten::squeeze", {Call("aten::matmul", {query, seen}), -2})}};
  }

  const OnnxNode& node_;
  OnnxBuilder& builder_;
  std::int64_t heads_, own_heads_;
  std::string rule_;
  Value *query_ = nullptr, *key_ = nullptr, *value_ = nullptr, *decay_ = nullptr, *beta_ = nullptr;
};

}  // namespace

void AddLinearAttention(OnnxOperators& all) {
  all["CausalConvWithState"] = CausalConvolution;
  all["LinearAttention"] = [](const OnnxNode& node) { return LinearAttentionReader(node).Read(); };
}

}  // namespace bitplan::network
