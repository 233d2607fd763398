#include "core_operators.h"

#include <fmt/format.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "flattened_products.h"
#include "network/operator_arguments.h"
#include "network/weight_operand.h"
#include "spread_products.h"

namespace bitplan::network {

namespace {

using torch::jit::Node;
using torch::jit::Value;
using torch::jit::WithInsertPoint;

/// Whether only the first result of the node is read.
bool OnlyFirstIsRead(const Node* node) {
  return std::none_of(node->outputs().begin() + 1, node->outputs().end(),
                      [](const Value* each) { return each->hasUses(); });
}

/// An operator in the place of another, at its place in the graph.
class Replacement {
 public:
  Replacement(LoweredGraph& lowered, Node* node) : lowered_(lowered), node_(node), at_node_(node) {}

  Value* Of(const char* name) const { return Argument(node_, name); }
  Value* Constant(const c10::IValue& value) const { return lowered_.graph->insertConstant(value); }
  Value* None() const { return Constant(c10::IValue()); }

  /// The operator of the name in aten, on operands in the order of its schema.
  void By(const std::string& name, const std::vector<Value*>& operands) const {
    Node* const made = lowered_.graph->insertNode(lowered_.graph->create(c10::Symbol::aten(name), operands));
    made->copyMetadata(node_);
    With(made->output());
  }

  void With(Value* value) const {
    Value* const before = node_->output(0);
    if (value->node()->owningBlock() == node_->owningBlock() && !value->type()->expect<c10::TensorType>()->dim())
      value->setType(before->type());
    before->replaceAllUsesWith(value);
  }

  LoweredGraph& lowered() const { return lowered_; }
  const Node* node() const { return node_; }

 private:
  LoweredGraph& lowered_;
  Node* node_;
  WithInsertPoint at_node_;
};

/// How many axes a convolution has beside samples and channels.
std::optional<std::size_t> SpatialAxes(const Replacement& of) {
  if (const auto weight = ResolveWeight(of.lowered(), of.Of("weight"))) return weight->sizes.size() - 2;
  for (const char* operand : {"weight", "input"})
    if (const auto rank = of.Of(operand)->type()->expect<c10::TensorType>()->dim()) return *rank - 2;
  return std::nullopt;
}

void ReplaceConvolution(const Replacement& of) {
  const auto transposed = BoolArgument(of.node(), "transposed");
  const auto axes = SpatialAxes(of);
  if (!transposed || !axes || *axes < 1 || *axes > 3) return;
  if (*transposed)
    of.By(fmt::format("conv_transpose{}d", *axes),
          {of.Of("input"), of.Of("weight"), of.Of("bias"), of.Of("stride"), of.Of("padding"), of.Of("output_padding"),
           of.Of("groups"), of.Of("dilation")});
  else
    of.By(fmt::format("conv{}d", *axes), {of.Of("input"), of.Of("weight"), of.Of("bias"), of.Of("stride"),
                                          of.Of("padding"), of.Of("dilation"), of.Of("groups")});
}

void ReplaceBatchNorm(const Replacement& of) {
  Value* const training = of.Of("training");
  Value *mean = of.Of("running_mean"), *variance = of.Of("running_var"), *momentum = of.Of("momentum"),
        *epsilon = of.Of("eps");
  if (!momentum) momentum = of.Of("exponential_average_factor");
  if (!epsilon) epsilon = of.Of("epsilon");
  of.By("batch_norm",
        {of.Of("input"), of.Of("weight"), of.Of("bias"), mean ? mean : of.None(), variance ? variance : of.None(),
         training ? training : of.Constant(false), momentum, epsilon, of.Constant(false)});
}

void ReplaceLayerNorm(const Replacement& of) {
  of.By("layer_norm",
        {of.Of("input"), of.Of("normalized_shape"), of.Of("weight"), of.Of("bias"), of.Of("eps"), of.Constant(false)});
}

void ReplaceGroupNorm(const Replacement& of) {
  of.By("group_norm",
        {of.Of("input"), of.Of("group"), of.Of("weight"), of.Of("bias"), of.Of("eps"), of.Constant(false)});
}

void ReplaceDropout(const Replacement& of) {
  if (BoolArgument(of.node(), "train") == false) of.With(of.Of("input"));
}

void ReplaceSoftmax(const Replacement& of) {
  if (BoolArgument(of.node(), "half_to_float") != false) return;
  const bool of_log = OperatorName(of.node()) == "_log_softmax";
  of.By(of_log ? "log_softmax" : "softmax", {of.Of("self"), of.Of("dim"), of.None()});
}

void ReplaceCast(const Replacement& of) {
  if (of.Of("dtype")->mustBeNone())
    of.By("clone", {of.Of("self"), of.Of("memory_format")});
  else
    of.By("to", {of.Of("self"), of.Of("dtype"), of.Constant(false), of.Constant(false), of.Of("memory_format")});
}

void ReplaceView(const Replacement& of) { of.By("reshape", {of.Of("self"), of.Of("size")}); }

void ReplaceMaxPool(const Replacement& of) {
  const std::string name = OperatorName(of.node());
  of.By(name.substr(0, name.find('_', 4)), {of.Of("self"), of.Of("kernel_size"), of.Of("stride"), of.Of("padding"),
                                            of.Of("dilation"), of.Of("ceil_mode")});
}

void ReplaceAdaptivePool(const Replacement& of) {
  of.By(OperatorName(of.node()).substr(1), {of.Of("self"), of.Of("output_size")});
}

void ReplaceAttention(const Replacement& of) {
  Value* mask = of.Of("attn_mask");
  if (!mask) mask = of.Of("attn_bias");
  of.By("scaled_dot_product_attention", {of.Of("query"), of.Of("key"), of.Of("value"), mask ? mask : of.None(),
                                         of.Constant(0.0), of.Of("is_causal"), of.Of("scale"), of.Constant(false)});
}

using Replace = void (*)(const Replacement&);

const std::map<std::string, Replace>& Replacements() {
  static const std::map<std::string, Replace> replacements = {
      {"convolution", ReplaceConvolution},
      {"_native_batch_norm_legit_no_training", ReplaceBatchNorm},
      {"_native_batch_norm_legit_functional", ReplaceBatchNorm},
      {"_native_batch_norm_legit", ReplaceBatchNorm},
      {"_batch_norm_no_update", ReplaceBatchNorm},
      {"native_batch_norm", ReplaceBatchNorm},
      {"cudnn_batch_norm", ReplaceBatchNorm},
      {"native_layer_norm", ReplaceLayerNorm},
      {"native_group_norm", ReplaceGroupNorm},
      {"native_dropout", ReplaceDropout},
      {"_softmax", ReplaceSoftmax},
      {"_log_softmax", ReplaceSoftmax},
      {"_to_copy", ReplaceCast},
      {"_unsafe_view", ReplaceView},
      {"max_pool2d_with_indices", ReplaceMaxPool},
      {"max_pool3d_with_indices", ReplaceMaxPool},
      {"_adaptive_avg_pool2d", ReplaceAdaptivePool},
      {"_adaptive_avg_pool3d", ReplaceAdaptivePool},
      {"_scaled_dot_product_flash_attention_for_cpu", ReplaceAttention},
      {"_scaled_dot_product_flash_attention", ReplaceAttention},
      {"_scaled_dot_product_efficient_attention", ReplaceAttention},
      {"_scaled_dot_product_cudnn_attention", ReplaceAttention},
      {"_scaled_dot_product_fused_attention_overrideable", ReplaceAttention},
  };
  return replacements;
}

}  // namespace

void ReplaceCoreOperators(LoweredGraph& lowered) {
  for (Node* node : AllNodes(lowered.graph->block())) {
    if (!node->kind().is_aten() || !node->maybeSchema()) continue;
    const auto found = Replacements().find(OperatorName(node));
    if (found != Replacements().end() && OnlyFirstIsRead(node)) found->second(Replacement(lowered, node));
  }
  torch::jit::EliminateDeadCode(lowered.graph);
  JoinFlattenedProducts(lowered);
  JoinBiases(lowered);
  torch::jit::EliminateDeadCode(lowered.graph);  // what still seems to read the factors
  JoinScales(lowered);
  torch::jit::EliminateDeadCode(lowered.graph);
}

}  // namespace bitplan::network
