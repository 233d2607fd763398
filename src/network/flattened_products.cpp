#include "flattened_products.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "network/operator_arguments.h"
#include "network/weight_operand.h"

namespace bitplan::network {

namespace {

using torch::jit::Node;
using torch::jit::Value;
using torch::jit::WithInsertPoint;

using Sizes = std::vector<c10::ShapeSymbol>;

std::optional<Sizes> SizesOf(const Value* value) {
  const auto type = value->type()->cast<c10::TensorType>();
  return type ? type->symbolic_sizes().sizes() : std::nullopt;
}

bool IsReshape(const Node* node) {
  const std::string op = OperatorName(node);
  return op == "view" || op == "reshape" || op == "_unsafe_view";
}

/// `value`, what it is a view of, and so on: as long as the operators only arrange its elements in other axes, in their
/// order. What expands nothing is one of them. The furthest first.
std::vector<Value*> Sources(Value* value) {
  static const std::set<std::string> kCopies = {"clone", "contiguous", "alias"};
  std::vector<Value*> sources = {value};
  for (;;) {
    Node* const node = sources.back()->node();
    if (!node->kind().is_aten() || !node->maybeSchema()) break;
    const std::string op = OperatorName(node);
    Value* const source = node->inputs()[0];
    const bool expands_nothing = op == "expand" && SizesOf(source) && SizesOf(source) == SizesOf(sources.back());
    if (!IsReshape(node) && !kCopies.contains(op) && !expands_nothing) break;
    sources.push_back(source);
  }
  std::reverse(sources.begin(), sources.end());
  return sources;
}

/// `product`, and what it becomes as long as its only reader gives it other axes. The last first.
std::vector<Value*> Results(Value* product) {
  std::vector<Value*> results = {product};
  while (results.back()->uses().size() == 1 && IsReshape(results.back()->uses()[0].user))
    results.push_back(results.back()->uses()[0].user->output());
  std::reverse(results.begin(), results.end());
  return results;
}

/// What `value` is the transpose of, where that is a weight [out, in] or a part of one; null where it is not. Weights
/// that were expanded for a product of batches are seen through.
Value* TransposedWeight(const LoweredGraph& lowered, Value* value) {
  while (IsReshape(value->node()) || OperatorName(value->node()) == "expand") value = value->node()->inputs()[0];
  const auto transposed = ResolveWeight(lowered, value);
  if (!transposed || transposed->axes != std::vector<std::int64_t>{1, 0}) return nullptr;
  Value* const weight = value->node()->inputs()[0];
  const auto plain = ResolveWeight(lowered, weight);
  return plain && plain->axes == std::vector<std::int64_t>{0, 1} ? weight : nullptr;
}

struct ProductOperands {
  Value *input, *weight, *bias;
};

/// Of addmm, mm, matmul and bmm whose right operand is a weight, transposed.
std::optional<ProductOperands> OperandsOf(const LoweredGraph& lowered, Node* node) {
  const std::string op = OperatorName(node);
  if (op == "addmm") {
    if (NumberArgument(node, "beta") != 1 || NumberArgument(node, "alpha") != 1) return std::nullopt;
    Value* const weight = TransposedWeight(lowered, Argument(node, "mat2"));
    Value* const bias = Argument(node, "self");
    const auto parameter = lowered.ParameterOf(bias);
    if (!weight || !parameter || lowered.parameters[*parameter].value.dim() != 1) return std::nullopt;
    return ProductOperands{Argument(node, "mat1"), weight, bias};
  }
  if (op != "mm" && op != "bmm") return std::nullopt;
  Value* const weight = TransposedWeight(lowered, Argument(node, "mat2"));
  if (!weight) return std::nullopt;
  return ProductOperands{Argument(node, "self"), weight, nullptr};
}

/// Whether the sizes are equal but for the last one.
bool EqualButLast(const std::optional<Sizes>& a, const std::optional<Sizes>& b) {
  return a && b && !a->empty() && a->size() == b->size() && std::equal(a->begin(), a->end() - 1, b->begin());
}

bool EndsWith(const std::optional<Sizes>& sizes, std::int64_t last) {
  return sizes && !sizes->empty() && sizes->back().is_static() && sizes->back().static_size() == last;
}

Value* Linear(LoweredGraph& lowered, Node* node, Value* input, const ProductOperands& operands) {
  const WithInsertPoint at_node(node);
  Value* const bias = operands.bias ? operands.bias : lowered.graph->insertConstant(c10::IValue());
  Node* const made =
      lowered.graph->insertNode(lowered.graph->create(c10::aten::linear, {input, operands.weight, bias}));
  made->copyMetadata(node);
  return made->output();
}

/// Whether the last two sizes are the same.
bool EndAlike(const Sizes& a, const std::optional<Sizes>& b) {
  return b && a.size() >= 2 && b->size() >= 2 && std::equal(a.end() - 2, a.end(), b->end() - 2);
}

/// An operand of a product of batches, before it was flattened; `sizes` after it was expanded for it.
struct BatchedOperand {
  Value* value;
  Sizes sizes;
};

/// The furthest first.
std::vector<BatchedOperand> BatchedOperands(Value* operand) {
  std::vector<BatchedOperand> all;
  for (Value* source : Sources(operand)) {
    const auto sizes = SizesOf(source);
    if (!sizes) continue;
    if (OperatorName(source->node()) == "expand" && EndAlike(*sizes, SizesOf(source->node()->inputs()[0])))
      all.push_back({source->node()->inputs()[0], *sizes});
    all.push_back({source, *sizes});
  }
  return all;
}

/// Whether a and b, of these sizes, have a product of the sizes `result`: [..., m, k], [..., k, n], [..., m, n].
bool Multiply(const Sizes& a, const Sizes& b, const std::optional<Sizes>& result) {
  return result && a.size() == b.size() && a.size() == result->size() &&
         std::equal(a.begin(), a.end() - 1, result->begin()) && std::equal(a.begin(), a.end() - 2, b.begin()) &&
         b.back() == result->back();
}

/// bmm of what was expanded and flattened to three axes is the product of what it was before, where sizes tell.
void JoinBatches(LoweredGraph& lowered, Node* node) {
  const std::vector<BatchedOperand> right = BatchedOperands(node->inputs()[1]);
  for (const BatchedOperand& a : BatchedOperands(node->inputs()[0]))
    for (const BatchedOperand& b : right)
      for (Value* result : Results(node->output())) {
        const auto sizes = SizesOf(result);
        if (!Multiply(a.sizes, b.sizes, sizes) || !EndAlike(a.sizes, SizesOf(node->inputs()[0])) ||
            !EndAlike(b.sizes, SizesOf(node->inputs()[1])) || !EndAlike(*sizes, SizesOf(node->output())))
          continue;
        const WithInsertPoint at_node(node);
        Node* const made = lowered.graph->insertNode(lowered.graph->create(c10::aten::matmul, {a.value, b.value}));
        made->copyMetadata(node);
        made->output()->setType(result->type());
        result->replaceAllUsesWith(made->output());
        return;
      }
}

void Join(LoweredGraph& lowered, Node* node) {
  const auto operands = OperandsOf(lowered, node);
  if (!operands && OperatorName(node) == "bmm") JoinBatches(lowered, node);
  if (!operands) return;
  const auto weight_sizes = SizesOf(operands->weight);
  if (!weight_sizes || weight_sizes->size() != 2 || !weight_sizes->back().is_static()) return;
  const std::int64_t features = weight_sizes->back().static_size();
  const auto join = [&](Value* input, Value* result) {
    Value* const made = Linear(lowered, node, input, *operands);
    made->setType(result->type());
    result->replaceAllUsesWith(made);
  };
  const std::vector<Value*> results = Results(node->output());
  for (Value* input : Sources(operands->input)) {
    if (!EndsWith(SizesOf(input), features)) continue;
    for (Value* result : results)
      if (EqualButLast(SizesOf(input), SizesOf(result))) return join(input, result);
  }
  if (OperatorName(node) != "bmm") join(operands->input, node->output());
}

void EraseSizes(torch::jit::Block* block) {
  const auto erase = [](Value* value) {
    if (value->type()->kind() == c10::TypeKind::TensorType) value->setType(c10::TensorType::get());
  };
  for (Value* input : block->inputs()) erase(input);
  for (Node* node : block->nodes()) {
    for (Value* output : node->outputs()) erase(output);
    for (torch::jit::Block* inner : node->blocks()) EraseSizes(inner);
  }
}

}  // namespace

void JoinFlattenedProducts(LoweredGraph& lowered) {
  for (Node* node : AllNodes(lowered.graph->block()))
    if (node->kind().is_aten() && node->maybeSchema()) Join(lowered, node);
}

void EraseSizes(LoweredGraph& lowered) { EraseSizes(lowered.graph->block()); }

}  // namespace bitplan::network
