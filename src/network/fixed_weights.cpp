#include "fixed_weights.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "fixed_values.h"
#include "network/operator_traits.h"
#include "network/weight_operand.h"
#include "tuning.h"

namespace bitplan::network {

namespace {

using torch::jit::Node;
using torch::jit::Value;

/// The module's own name for what it computes: conv.weight for conv.weight_v and
/// conv.parametrizations.weight.original0.
std::string PlainName(std::string name) {
  constexpr std::string_view kParametrized = "parametrizations.";
  if (const auto begin = name.find(kParametrized); begin != std::string::npos) {
    const std::string rest = name.substr(begin + kParametrized.size());
    return name.substr(0, begin) + rest.substr(0, rest.find('.'));
  }
  for (const std::string_view suffix : {"_v", "_g", "_orig", "_bar"})
    if (name.ends_with(suffix)) return name.substr(0, name.size() - suffix.size());
  return name;
}

/// The modules that both names begin with, with the dot after them.
std::string CommonModule(const std::string& a, const std::string& b) {
  const auto [end, unused] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  const std::string common(a.begin(), end);
  return common.substr(0, common.rfind('.') + 1);
}

class WeightFixer {
 public:
  explicit WeightFixer(LoweredGraph& lowered) : lowered_(lowered), values_(lowered) {}

  void Fix() {
    for (Node* node : AllNodes(lowered_.graph->block())) {
      if (!node->kind().is_aten() || !Has(node, OperatorTrait::HasWeights)) continue;
      for (Value* operand : node->inputs()) {
        if (operand->node()->kind() != c10::prim::ListConstruct) {
          Visit(operand);
        } else {
          for (Value* item : operand->node()->inputs()) Visit(item);
        }
      }
    }
    if (computed_.empty()) return;
    torch::jit::EliminateDeadCode(lowered_.graph);
    lowered_.RemoveUnusedParameters();
    TellNamesApart();
  }

 private:
  void Visit(Value* operand) {
    while (IsView(operand->node())) operand = operand->node()->inputs()[0];
    const bool tensor = operand->type()->isSubtypeOf(*c10::TensorType::get());
    if (!tensor || operand->node()->kind() == c10::prim::Constant || operand->node()->kind() == c10::prim::Param ||
        !values_.Holds(operand))
      return;
    const auto [parameter, first] = computed_.try_emplace(values_.NumberOf(operand), nullptr);
    if (first) parameter->second = MakeParameter(operand);
    if (parameter->second) operand->replaceAllUsesWith(parameter->second);
  }

  /// Null where the result is no weight, or too large.
  Value* MakeParameter(Value* operand) {
    std::int64_t elements = 0;
    bool trainable = false;
    for (const std::size_t index : values_.ParametersOf(operand)) {
      elements += lowered_.parameters[index].value.numel();
      trainable |= lowered_.parameters[index].trainable;
    }
    const at::Tensor value = values_.Compute(operand);
    if (!value.is_floating_point() || value.numel() > tuning::kMostGrowthOfWeights * elements) return nullptr;
    return lowered_.AddParameter({NameOf(operand), value.to(at::kFloat), trainable});
  }

  /// Of the largest parameter that it is made of; of several, weight of the module that they all are in.
  std::string NameOf(Value* operand) const {
    std::int64_t most = 0;
    std::vector<std::string> names;
    for (const std::size_t index : values_.ParametersOf(operand)) {
      const Parameter& parameter = lowered_.parameters[index];
      if (parameter.value.numel() > most) names.clear();
      most = std::max(most, parameter.value.numel());
      if (parameter.value.numel() == most) names.push_back(PlainName(parameter.name));
    }
    std::string module = names.front();
    for (const std::string& name : names)
      if (name != module) module = CommonModule(module, name);
    return module.empty() || module == names.front() ? names.front() : module + "weight";
  }

  void TellNamesApart() {
    std::set<std::string> all, taken;
    for (const Parameter& parameter : lowered_.parameters) all.insert(parameter.name);
    for (Parameter& parameter : lowered_.parameters) {
      if (taken.insert(parameter.name).second) continue;
      const bool nameless = lowered_.nameless.contains(parameter.name);
      std::string name;
      for (int number = 2; name.empty() || !all.insert(name).second; ++number)
        name = fmt::format("{}_{}", parameter.name, number);
      parameter.name = name;
      if (nameless) lowered_.nameless.insert(name);
    }
  }

  LoweredGraph& lowered_;
  FixedValues values_;
  std::map<int, Value*> computed_;  // by the number of the value
};

}  // namespace

void FixWeights(LoweredGraph& lowered) { WeightFixer(lowered).Fix(); }

}  // namespace bitplan::network
