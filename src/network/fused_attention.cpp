#include "fused_attention.h"

#include <torch/csrc/jit/api/compilation_unit.h>
#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/frontend/resolver.h>
#include <torch/csrc/jit/passes/inliner.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace bitplan::network {

namespace {

using torch::jit::Block;
using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

/// Their layers are inside; where they stand in a branch, the other branch calls the layers.
constexpr std::array<std::string_view, 2> kFastPaths = {"_transformer_encoder_layer_fwd",
                                                        "_native_multi_head_attention"};

/// Has no second derivative where a fused kernel computes it.
constexpr std::string_view kProduct = "scaled_dot_product_attention";

/// Packs padded sequences for the fast paths; the plain forms work on the padded ones.
constexpr std::string_view kPacking = "_nested_tensor_from_mask";

/// The operators in plain ones (the math of native_multi_head_attention in ATen's attention.cpp, and the formula in the
/// documentation of scaled_dot_product_attention). A fast path's mask of type 0 is [L, L], of type 1 [N, L], else
/// [N, H, L, L]; true or −inf hides a position there, and false or −inf in scaled_dot_product_attention.
constexpr std::string_view kPlainForms = R"(
def expand_mask(mask: Tensor, mask_type: Optional[int]) -> Tensor:
    if mask_type is not None and mask_type == 1:
        mask = mask.unsqueeze(1).unsqueeze(1)
    return mask

def attend(query: Tensor, key: Tensor, value: Tensor, num_heads: int, mask: Optional[Tensor], mask_type: Optional[int]) -> Tuple[Tensor, Tensor]:
    q = query.unflatten(-1, [num_heads, -1]).transpose(1, 2)
    k = key.unflatten(-1, [num_heads, -1]).transpose(1, 2)
    v = value.unflatten(-1, [num_heads, -1]).transpose(1, 2)
    scores = torch.matmul(q * (float(q.size(-1)) ** -0.5), k.transpose(-2, -1))
    if mask is not None:
        hidden = expand_mask(mask, mask_type)
        if hidden.dtype == 11:  # bool
            scores = scores.masked_fill(hidden, float("-inf"))
        else:
            scores = scores + hidden
    weights = torch.softmax(scores, -1)
    return torch.matmul(weights, v).transpose(1, 2).flatten(2), weights

def scaled_dot_product_attention(query: Tensor, key: Tensor, value: Tensor, attn_mask: Optional[Tensor], dropout_p: float, is_causal: bool, scale: Optional[float], enable_gqa: bool) -> Tensor:
    k = key
    v = value
    if enable_gqa:
        k = key.repeat_interleave(query.size(-3) // key.size(-3), -3)
        v = value.repeat_interleave(query.size(-3) // value.size(-3), -3)
    factor = float(query.size(-1)) ** -0.5
    if scale is not None:
        factor = scale
    scores = torch.matmul(query * factor, k.transpose(-2, -1))
    if is_causal:
        later = torch.ones([scores.size(-2), scores.size(-1)], dtype=11, device=scores.device).triu(1)
        scores = scores.masked_fill(later, float("-inf"))
    weights = scores
    if attn_mask is not None:
        if attn_mask.dtype == 11:
            scores = scores.masked_fill(torch.logical_not(attn_mask), float("-inf"))
        else:
            scores = scores + attn_mask
        weights = torch._safe_softmax(scores, -1)
    else:
        weights = torch.softmax(scores, -1)
    if dropout_p > 0.0:
        weights = torch.dropout(weights, dropout_p, True)
    return torch.matmul(weights, v)

def _native_multi_head_attention(query: Tensor, key: Tensor, value: Tensor, embed_dim: int, num_heads: int, qkv_weight: Tensor, qkv_bias: Tensor, proj_weight: Tensor, proj_bias: Tensor, mask: Optional[Tensor], need_weights: bool, average: bool, mask_type: Optional[int]) -> Tuple[Tensor, Tensor]:
    w = torch.chunk(qkv_weight, 3)
    b = torch.chunk(qkv_bias, 3)
    out, weights = attend(torch.linear(query, w[0], b[0]), torch.linear(key, w[1], b[1]), torch.linear(value, w[2], b[2]), num_heads, mask, mask_type)
    if need_weights and average:
        weights = weights.mean(1)
    return torch.linear(out, proj_weight, proj_bias), weights

def _transformer_encoder_layer_fwd(src: Tensor, embed_dim: int, num_heads: int, qkv_weight: Tensor, qkv_bias: Tensor, proj_weight: Tensor, proj_bias: Tensor, use_gelu: bool, norm_first: bool, eps: float, norm1_weight: Tensor, norm1_bias: Tensor, norm2_weight: Tensor, norm2_bias: Tensor, ffn1_weight: Tensor, ffn1_bias: Tensor, ffn2_weight: Tensor, ffn2_bias: Tensor, mask: Optional[Tensor], mask_type: Optional[int]) -> Tensor:
    x = src
    y = x
    if norm_first:
        y = torch.layer_norm(x, [embed_dim], norm1_weight, norm1_bias, eps)
    qkv = torch.linear(y, qkv_weight, qkv_bias).chunk(3, -1)
    attended, weights = attend(qkv[0], qkv[1], qkv[2], num_heads, mask, mask_type)
    x = x + torch.linear(attended, proj_weight, proj_bias)
    y = x
    if norm_first:
        y = torch.layer_norm(x, [embed_dim], norm2_weight, norm2_bias, eps)
    else:
        x = torch.layer_norm(x, [embed_dim], norm1_weight, norm1_bias, eps)
        y = x
    y = torch.linear(y, ffn1_weight, ffn1_bias)
    if use_gelu:
        y = torch.gelu(y)
    else:
        y = torch.relu(y)
    x = x + torch.linear(y, ffn2_weight, ffn2_bias)
    if not norm_first:
        x = torch.layer_norm(x, [embed_dim], norm2_weight, norm2_bias, eps)
    return x
)";

bool IsFastPath(const Node* node) {
  return std::any_of(kFastPaths.begin(), kFastPaths.end(), [&](const auto name) { return OperatorName(node) == name; });
}

/// Takes the branch beside an operator, where it stands in one. Returns whether it did. The condition is settled for
/// all its readers: it also tells the code after the branch whether the fast path has returned.
bool TakePlainBranch(Graph& graph, const Node* fused) {
  const Block* const inside = fused->owningBlock();
  Node* const branch = inside->owningNode() ? const_cast<Node*>(inside->owningNode()) : nullptr;
  if (!branch || branch->kind() != c10::prim::If) return false;
  Value* const condition = branch->inputs()[0];
  const torch::jit::WithInsertPoint after(condition->node()->next());
  condition->replaceAllUsesWith(graph.insertConstant(inside == branch->blocks()[1]));
  return true;
}

std::shared_ptr<torch::jit::CompilationUnit> CompilePlainForms() {
  auto unit = std::make_shared<torch::jit::CompilationUnit>();
  unit->define(std::nullopt, std::string(kPlainForms), torch::jit::nativeResolver(), nullptr);
  return unit;
}

void WriteOut(Node* fused, const torch::jit::CompilationUnit& plain_forms) {
  auto& plain = torch::jit::toGraphFunction(plain_forms.get_function(c10::QualifiedName(OperatorName(fused))));
  const auto body = plain.graph()->copy();
  torch::jit::Inline(*body);
  const torch::jit::WithInsertPoint before(fused);
  std::vector<Value*> outputs = torch::jit::insertGraph(*fused->owningGraph(), *body, fused->inputs());
  if (outputs.size() != fused->outputs().size()) outputs = torch::jit::createTupleUnpack(outputs[0]).vec();
  for (std::size_t i = 0; i < outputs.size(); ++i) fused->outputs()[i]->replaceAllUsesWith(outputs[i]);
  fused->destroy();
}

}  // namespace

bool ResolveFusedAttention(LoweredGraph& lowered) {
  bool changed = false;
  std::vector<Node*> fused;
  for (Node* node : AllNodes(lowered.graph->block())) {
    if (OperatorName(node) == kPacking) changed |= TakePlainBranch(*lowered.graph, node);
    if (IsFastPath(node) || OperatorName(node) == kProduct) fused.push_back(node);
  }
  if (fused.empty()) return changed;
  lowered.inlined_from.push_back(CompilePlainForms());
  for (Node* node : fused)
    if (!IsFastPath(node) || !TakePlainBranch(*lowered.graph, node)) WriteOut(node, *lowered.inlined_from.back());
  return true;
}

}  // namespace bitplan::network
