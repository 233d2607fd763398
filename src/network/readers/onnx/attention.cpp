// Attention, RotaryEmbedding, TensorScatter.
#include <ATen/ATen.h>

#include <cmath>
#include <limits>

#include "readers/onnx/node.h"

namespace bitplan::network {

namespace {

using torch::jit::Value;
using Results = std::vector<OnnxValue>;
using Axes = std::vector<std::int64_t>;

constexpr double kNever = -std::numeric_limits<double>::infinity();

/// [N, L, heads·D] to [N, heads, L, D].
Value* SplitHeads(OnnxBuilder& builder, Value* value, std::int64_t heads) {
  return builder.Call("aten::transpose", {builder.Call("aten::unflatten", {value, -1, Axes{heads, -1}}), 1, 2});
}

/// Numbers 0, 1, … below `end`.
Value* Count(OnnxBuilder& builder, Value* end) {
  return builder.Call("aten::arange", {end}, {{"dtype", at::kLong}, {"device", builder.device()}});
}

class AttentionReader {
 public:
  explicit AttentionReader(const OnnxNode& node) : node_(node), builder_(node.builder()) {
    query_ = node.Input(0), key_ = node.Input(1), value_ = node.Input(2);
    flat_ = builder_.Rank(query_) == 3;
    if (flat_) {
      query_ = SplitHeads(builder_, query_, node.Int("q_num_heads", 1));
      key_ = SplitHeads(builder_, key_, node.Int("kv_num_heads", 1));
      value_ = SplitHeads(builder_, value_, node.Int("kv_num_heads", 1));
    }
    if (node.Has(4) != node.Has(5)) node.Refuse("it has keys of earlier steps or values of earlier steps, not both");
    if (node.Has(4)) key_ = builder_.Call("aten::cat", {builder_.Tensors({node.Input(4), key_}), 2});
    if (node.Has(5)) value_ = builder_.Call("aten::cat", {builder_.Tensors({node.Input(5), value_}), 2});
  }

  Results Read() {
    const bool decomposed = node_.Number("softcap", 0) != 0 || node_.HasOutput(3);
    Value* mixed = decomposed ? Decomposed() : Fused();
    if (flat_) mixed = builder_.Call("aten::flatten", {builder_.Call("aten::transpose", {mixed, 1, 2}), -2, -1});
    return {mixed, key_, value_, products_};
  }

 private:
  bool IsCausal() const { return node_.Int("is_causal", 0) != 0; }
  bool HasWindow() const { return node_.Int("left_window_size", -1) >= 0 || node_.Int("right_window_size", -1) >= 0; }

  Value* Fused() {
    const bool plainly_causal = IsCausal() && !HasWindow() && !node_.Has(3) && !node_.Has(4) && !node_.Has(6);
    Value* const mask = plainly_causal ? builder_.Constant(c10::IValue()) : MaskOrNone();
    Value* const scale =
        node_.HasAttribute("scale") ? builder_.Constant(node_.Number("scale", 0)) : builder_.Constant(c10::IValue());
    const bool grouped = builder_.FixedSize(query_, 1) != builder_.FixedSize(key_, 1);
    return builder_.Call("aten::scaled_dot_product_attention", {query_, key_, value_, mask, 0.0, plainly_causal},
                         {{"scale", scale}, {"enable_gqa", grouped}});
  }

  /// Which positions are attended, true or false, or what is added to their products.
  Value* MaskOrNone() {
    Value* mask = node_.Has(3) ? PaddedMask() : nullptr;
    Value* const allowed = Allowed();
    if (!allowed) return mask ? mask : builder_.Constant(c10::IValue());
    if (!mask) return allowed;
    if (builder_.Type(mask) == at::kBool) return builder_.Call("aten::logical_and", {mask, allowed});
    return builder_.Call("aten::where", {allowed, mask, kNever});
  }

  /// A mask may end before the keys do: none of the others is attended.
  Value* PaddedMask() {
    Value* const mask = node_.Input(3);
    const std::int64_t last = builder_.Rank(mask) - 1;
    const auto own = builder_.FixedSize(mask, last), keys = builder_.FixedSize(key_, 2);
    if (own && own == keys) return mask;
    if (!(own && keys) && !node_.Has(4) && !node_.Has(6)) return mask;
    Value* const missing = builder_.Call("aten::sub", {builder_.Size(key_, 2), builder_.Size(mask, last)});
    Value* const pads = builder_.Integers({builder_.Constant(0), missing});
    if (builder_.Type(mask) == at::kBool) return builder_.Call("aten::constant_pad_nd", {mask, pads, false});
    return builder_.Call("aten::constant_pad_nd", {mask, pads, kNever});
  }

  /// By causality, window and how many keys each sample has; null where all are attended. A query's place among the
  /// keys is behind those of earlier steps or, of a cache of fixed length, at the end of a sample's own.
  Value* Allowed() {
    Value* allowed = nullptr;
    const auto restrict = [&](Value* to) {
      allowed = allowed ? builder_.Call("aten::logical_and", {allowed, to}) : to;
    };
    Value* const keys = Count(builder_, builder_.Size(key_, 2));
    if (IsCausal() || HasWindow()) {
      Value* const behind = builder_.Call("aten::sub", {QueryPlaces(), keys});  // how far a key is behind a query
      if (IsCausal()) restrict(builder_.Call("aten::ge", {behind, 0}));
      const std::int64_t left = node_.Int("left_window_size", -1), right = node_.Int("right_window_size", -1);
      if (left >= 0) restrict(builder_.Call("aten::le", {behind, left}));
      if (right >= 0) restrict(builder_.Call("aten::ge", {behind, -right}));
    }
    if (node_.Has(6)) restrict(builder_.Call("aten::lt", {keys, KeysOfSamples()}));
    return allowed;
  }

  /// [N, 1, 1, 1]
  Value* KeysOfSamples() { return builder_.Call("aten::reshape", {node_.Input(6), Axes{-1, 1, 1, 1}}); }

  /// [L, 1] or [N, 1, L, 1]
  Value* QueryPlaces() {
    Value* const queries = builder_.Size(query_, 2);
    Value* const places = builder_.Call("aten::unsqueeze", {Count(builder_, queries), -1});
    if (node_.Has(4)) return builder_.Call("aten::add", {places, builder_.Size(node_.Input(4), 2)});
    if (!node_.Has(6)) return places;
    return builder_.Call("aten::add", {builder_.Call("aten::sub", {KeysOfSamples(), queries}), places});
  }

  Value* Repeated(Value* heads) {
    const auto wanted = builder_.FixedSize(query_, 1), own = builder_.FixedSize(heads, 1);
    if (!wanted || !own) node_.Refuse("how many heads it has is not fixed");
    if (*wanted == *own || *wanted % *own != 0) return heads;
    return builder_.Call("aten::repeat_interleave", {heads, *wanted / *own}, {{"dim", 1}});
  }

  double Scale() const {
    if (node_.HasAttribute("scale")) return node_.Number("scale", 1);
    const auto size = builder_.FixedSize(query_, 3);
    if (!size) node_.Refuse("the size of its heads is not fixed");
    return 1 / std::sqrt(static_cast<double>(*size));
  }

  Value* Decomposed() {
    const std::int64_t mode = node_.Int("qk_matmul_output_mode", 0);
    const double cap = node_.Number("softcap", 0);
    Value* const keys = builder_.Call("aten::transpose", {Repeated(key_), -2, -1});
    Value* scores = builder_.Call("aten::matmul", {builder_.Call("aten::mul", {query_, Scale()}), keys});
    products_ = scores;
    if (cap != 0) {
      Value* const bounded = builder_.Call("aten::tanh", {builder_.Call("aten::div", {scores, cap})});
      scores = builder_.Call("aten::mul", {bounded, cap});
      if (mode == 1) products_ = scores;
    }
    Value* mask = MaskOrNone();
    const bool masked = mask->type()->kind() != c10::TypeKind::NoneType;
    if (masked && builder_.Type(mask) == at::kBool)
      scores = builder_.Call("aten::masked_fill", {scores, builder_.Call("aten::logical_not", {mask}), kNever});
    else if (masked)
      scores = builder_.Call("aten::add", {scores, mask});
    if (mode == 2) products_ = scores;
    Value* weights = builder_.Call("aten::softmax", {scores, -1, c10::IValue()});
    if (masked) weights = WithoutMasked(weights, mask);
    if (mode == 3) products_ = weights;
    return builder_.Call("aten::matmul", {weights, Repeated(value_)});
  }

  /// 0 where a query attends no key.
  Value* WithoutMasked(Value* weights, Value* mask) {
    Value* const any = builder_.Type(mask) == at::kBool ? mask : builder_.Call("aten::gt", {mask, kNever});
    Value* const none = builder_.Call("aten::logical_not", {builder_.Call("aten::any", {any, -1, true})});
    return builder_.Call("aten::masked_fill", {weights, none, 0.0});
  }

  const OnnxNode& node_;
  OnnxBuilder& builder_;
  Value *query_ = nullptr, *key_ = nullptr, *value_ = nullptr, *products_ = nullptr;
  bool flat_ = false;
};

/// Of each head the first numbers are turned, by pairs, the others stay.
Results RotaryEmbedding(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  Value* input = node.Input(0);
  const bool flat = builder.Rank(input) == 3;
  input = flat ? builder.Call("aten::unflatten", {input, -1, Axes{node.Int("num_heads", 1), -1}})
               : builder.Call("aten::transpose", {input, 1, 2});  // [N, L, heads, D]
  const auto table = [&](std::size_t index) {
    Value* const all = node.Input(index);
    Value* const own = node.Has(3) ? builder.Call("aten::embedding", {all, node.Input(3)}) : all;
    return builder.Call("aten::unsqueeze", {own, 2});
  };
  Value *const cosine = table(1), *const sine = table(2);
  const auto half = builder.FixedSize(cosine, 3);
  const bool interleaved = node.Int("interleaved", 0) != 0;
  if (!half) node.Refuse("how many numbers it turns is not fixed");
  const auto part = [&](std::int64_t begin, std::int64_t end, std::int64_t step) {
    return builder.Call("aten::slice", {input, -1, begin, end, step});
  };
  Value* const first = interleaved ? part(0, 2 * *half, 2) : part(0, *half, 1);
  Value* const second = interleaved ? part(1, 2 * *half, 2) : part(*half, 2 * *half, 1);
  const auto product = [&](Value* a, Value* b) { return builder.Call("aten::mul", {a, b}); };
  Value* const real = builder.Call("aten::sub", {product(cosine, first), product(sine, second)});
  Value* const imaginary = builder.Call("aten::add", {product(sine, first), product(cosine, second)});
  Value* turned = interleaved
                      ? builder.Call("aten::flatten",
                                     {builder.Call("aten::stack", {builder.Tensors({real, imaginary}), -1}), -2, -1})
                      : builder.Call("aten::cat", {builder.Tensors({real, imaginary}), -1});
  if (builder.FixedSize(input, 3) != 2 * *half) {
    Value* const rest =
        builder.Call("aten::slice", {input, -1, 2 * *half, std::numeric_limits<std::int64_t>::max(), 1});
    turned = builder.Call("aten::cat", {builder.Tensors({turned, rest}), -1});
  }
  return {flat ? builder.Call("aten::flatten", {turned, -2, -1}) : builder.Call("aten::transpose", {turned, 1, 2})};
}

/// Writes a step's keys or values at each sample's own place of a cache.
Results TensorScatter(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  Value *const cache = node.Input(0), *const update = node.Input(1);
  const std::int64_t axis = builder.Axis(cache, node.Int("axis", -2)), rank = builder.Rank(cache);
  if (axis == 0) node.Refuse("it writes along the axis of the samples");
  Value* places = Count(builder, builder.Size(update, axis));
  if (node.Has(2)) places = builder.Call("aten::add", {builder.Call("aten::unsqueeze", {node.Input(2), 1}), places});
  if (node.Text("mode", "linear") == "circular")
    places = builder.Call("aten::remainder", {places, builder.Size(cache, axis)});
  if (!node.Has(2)) places = builder.Call("aten::unsqueeze", {places, 0});
  for (std::int64_t i = 1; i < axis; ++i) places = builder.Call("aten::unsqueeze", {places, 1});
  for (std::int64_t i = axis + 1; i < rank; ++i) places = builder.Call("aten::unsqueeze", {places, -1});
  return {builder.Call("aten::scatter", {cache, axis, builder.Call("aten::expand_as", {places, update}), update})};
}

}  // namespace

void AddAttention(OnnxOperators& all) {
  all["Attention"] = [](const OnnxNode& node) { return AttentionReader(node).Read(); };
  all["RotaryEmbedding"] = RotaryEmbedding;
  all["TensorScatter"] = TensorScatter;
}

}  // namespace bitplan::network
