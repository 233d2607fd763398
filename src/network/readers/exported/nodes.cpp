#include "readers/exported/nodes.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <fmt/format.h>
#include <torch/csrc/jit/ir/constants.h>

#include <algorithm>
#include <utility>

#include "bitplan/error.h"
#include "network/torch_error.h"
#include "readers/exported/refusal.h"
#include "readers/exported/scalar_operators.h"
#include "readers/exported/schema_types.h"

namespace bitplan::network {

namespace {

using torch::jit::Node;
using torch::jit::Value;

struct OperatorTarget {
  std::string name, overload;  ///< "aten::conv2d", "" for default
};

/// Of "torch.ops.aten.conv2d.default".
std::optional<OperatorTarget> ParseTarget(const std::string& target) {
  constexpr std::string_view kPrefix = "torch.ops.";
  if (!target.starts_with(kPrefix)) return std::nullopt;
  const std::string path = target.substr(kPrefix.size());
  const auto first = path.find('.'), last = path.rfind('.');
  if (first == std::string::npos || first == last) return std::nullopt;
  const std::string overload = path.substr(last + 1);
  return OperatorTarget{path.substr(0, first) + "::" + path.substr(first + 1, last - first - 1),
                        overload == "default" ? "" : overload};
}

std::map<std::string, const Json*> Given(const Json& node) {
  std::map<std::string, const Json*> given;
  for (const Json& input : node.at("inputs")) given.emplace(input.at("name").get<std::string>(), &input.at("arg"));
  return given;
}

bool TakesNumberForTensor(const c10::FunctionSchema& schema, const std::map<std::string, const Json*>& given) {
  return std::any_of(schema.arguments().begin(), schema.arguments().end(), [&](const c10::Argument& argument) {
    const auto found = given.find(argument.name());
    return found != given.end() && argument.type()->kind() == c10::TypeKind::TensorType &&
           IsNumber(Untag(*found->second).kind);
  });
}

/// The overload that takes numbers as such: a tensor without axes that stands for a number is not that any more once a
/// graph was saved, and then decides the result's type.
std::optional<c10::OperatorHandle> ScalarOverload(const OperatorTarget& target,
                                                  const std::map<std::string, const Json*>& given) {
  const auto last = target.overload.rfind("Tensor");
  if (last == std::string::npos) return std::nullopt;
  std::string overload = target.overload;
  overload.replace(last, 6, "Scalar");
  const auto handle = c10::Dispatcher::singleton().findSchema({target.name, overload});
  if (!handle || TakesNumberForTensor(handle->schema(), given)) return std::nullopt;
  for (const auto& [name, argument] : given)
    if (!handle->schema().argumentIndexWithName(name)) return std::nullopt;
  return handle;
}

/// The type of the first tensor that the node reads: a number beside it takes no part in what the result's is, unless
/// it is of a wider kind.
at::ScalarType TypeBeside(const Json& graph, const Json& node) {
  for (const Json& input : node.at("inputs")) {
    const auto [kind, value] = Untag(input.at("arg"));
    if (kind != "as_tensor") continue;
    const auto meta = graph.at("tensor_values").find(value.at("name").get<std::string>());
    if (meta == graph.at("tensor_values").end()) continue;
    return TypeOfSchema(meta->at("dtype").get<std::int64_t>());
  }
  return at::kFloat;
}

/// Whether a batch norm is a module that counts its batches, which it does in training mode alone: beside the buffer of
/// its running mean it has one for that.
bool IsTrackedNorm(const std::map<std::string, const Json*>& given, const Scope& scope) {
  constexpr std::string_view kMean = "running_mean";
  const auto mean = given.find(std::string(kMean));
  if (mean == given.end() || !mean->second->contains("as_tensor")) return false;
  const std::string name = mean->second->at("as_tensor").at("name").get<std::string>();
  return name.ends_with(kMean) && scope.contains(name.substr(0, name.size() - kMean.size()) + "num_batches_tracked");
}

at::ScalarType TypeOfNumber(const std::string& kind, at::ScalarType beside) {
  if (kind == "as_float") return at::isFloatingType(beside) ? beside : at::kFloat;
  if (kind == "as_int") return beside == at::kBool ? at::kLong : beside;
  return beside;
}

}  // namespace

ExportedNodes::ExportedNodes(torch::jit::Graph& graph, const c10::Device& device)
    : graph_(graph), arguments_(graph, device) {}

void ExportedNodes::Insert(const Json& graph, Scope& scope) {
  for (const Json& node : graph.at("nodes")) {
    try {
      InsertNode(graph, node, scope);
    } catch (const Error&) {
      throw;
    } catch (const Json::exception& error) {
      RefuseNode(node, fmt::format("the file is damaged, or of a later version: {}", ProgramError(error)));
    } catch (const std::exception& error) {
      if (!IsOfModel(error)) throw;
      RefuseNode(node, TorchReason(error));
    }
  }
}

Value* ExportedNodes::Argument(const Json& argument, const Scope& scope) const {
  return arguments_.Make(argument, nullptr, scope);
}

void ExportedNodes::SetSizes(const Json& graph, const std::string& name, Value* value) {
  const auto meta = graph.at("tensor_values").find(name);
  if (meta == graph.at("tensor_values").end()) return;
  std::vector<c10::ShapeSymbol> sizes;
  for (const Json& size : meta->at("sizes")) {
    const auto [kind, number] = Untag(size);
    if (kind == "as_int") {
      sizes.push_back(c10::ShapeSymbol::fromStaticSize(number.get<std::int64_t>()));
      continue;
    }
    const auto [symbol, fresh] = sizes_.try_emplace(number.at("expr_str").get<std::string>(), c10::ShapeSymbol());
    if (fresh) symbol->second = c10::ShapeSymbol::newSymbol();
    sizes.push_back(symbol->second);
  }
  value->setType(c10::TensorType::get()->withSymbolicShapes(c10::SymbolicShape(sizes)));
}

void ExportedNodes::InsertNode(const Json& graph, const Json& node, Scope& scope) {
  const std::string target = node.at("target").get<std::string>();
  if (IsAssertion(target)) return;
  if (const auto symbol = ScalarOperator(target)) return InsertScalar(*symbol, graph, node, scope);
  if (target == "torch.ops.aten.item.default" || target == "torch.ops.aten._local_scalar_dense.default")
    return InsertItem(graph, node, scope);
  if (target == "torch.sym_ite") return InsertChoice(graph, node, scope);
  if (target == "torch.ops.higher_order.cond") return InsertCond(graph, node, scope);
  if (target == "torch.ops.higher_order.wrap_with_set_grad_enabled" ||
      target == "torch.ops.higher_order.invoke_subgraph")
    return InsertInlined(graph, node, scope);
  if (target == "torch.ops.higher_order.wrap_with_autocast")
    RefuseNode(node,
               "part of the model computes in a lower precision (torch.autocast); export it in float32, without that");
  if (target.starts_with("torch.ops.higher_order."))
    RefuseNode(node, "an operator of higher order that is not read; express it in plain operators");
  InsertOperator(target, graph, node, scope);
}

void ExportedNodes::InsertScalar(const std::string& symbol, const Json& graph, const Json& node, Scope& scope) {
  std::vector<torch::jit::NamedValue> values;
  for (const Json& input : node.at("inputs")) values.emplace_back(arguments_.Make(input.at("arg"), nullptr, scope));
  Bind(graph, node.at("outputs").at(0), graph_.insert(c10::Symbol::fromQualString(symbol), values), scope);
}

void ExportedNodes::InsertItem(const Json& graph, const Json& node, Scope& scope) {
  const Json& output = node.at("outputs").at(0);
  const std::string& kind = Untag(output).kind;
  const c10::Symbol symbol = kind == "as_sym_int"     ? c10::aten::Int
                             : kind == "as_sym_float" ? c10::aten::Float
                                                      : c10::aten::Bool;
  Bind(graph, output, graph_.insert(symbol, {arguments_.Make(node.at("inputs").at(0).at("arg"), nullptr, scope)}),
       scope);
}

/// What an operator is given for training, in eval mode: nothing where the argument does not say that. A batch norm
/// that has no statistics, or is a function that was told to train, takes those of its batch in eval mode, too.
std::optional<Value*> ExportedNodes::EvalMode(const c10::Argument& argument, const Json& given, const Json& node,
                                              const Scope& scope) {
  const auto [kind, value] = Untag(given);
  if (argument.name() == "dropout_p" && kind == "as_float" && FloatOf(value) > 0) {
    was_training_ = true;
    return graph_.insertConstant(0.0);
  }
  if (argument.name() != "training" && argument.name() != "train") return std::nullopt;
  if (kind != "as_bool" || !value.get<bool>()) return std::nullopt;
  const auto all = Given(node);
  if (all.contains("momentum") && !IsTrackedNorm(all, scope)) return std::nullopt;
  was_training_ = true;
  return graph_.insertConstant(false);
}

std::vector<Value*> ExportedNodes::Operands(const c10::FunctionSchema& schema, const Json& graph, const Json& node,
                                            const Scope& scope) {
  auto given = Given(node);
  const at::ScalarType beside = TypeBeside(graph, node);
  std::vector<Value*> values;
  for (const c10::Argument& argument : schema.arguments()) {
    const auto found = given.find(argument.name());
    if (found != given.end()) {
      const auto settled = EvalMode(argument, *found->second, node, scope);
      values.push_back(settled ? *settled
                               : arguments_.Make(*found->second, argument.type(), scope,
                                                 TypeOfNumber(Untag(*found->second).kind, beside)));
      given.erase(found);
    } else if (argument.default_value()) {
      values.push_back(graph_.insertConstant(*argument.default_value()));
    } else if (argument.type()->kind() == c10::TypeKind::OptionalType) {
      values.push_back(graph_.insertConstant(c10::IValue()));
    } else {
      RefuseNode(node, fmt::format("its argument '{}' is missing", argument.name()));
    }
  }
  if (!given.empty()) RefuseNode(node, fmt::format("it has no argument '{}' in this LibTorch", given.begin()->first));
  return values;
}

void ExportedNodes::InsertOperator(const std::string& target, const Json& graph, const Json& node, Scope& scope) {
  const auto parsed = ParseTarget(target);
  if (!parsed) RefuseNode(node, "it is not one of PyTorch's operators, and is not read");
  auto handle = c10::Dispatcher::singleton().findSchema({parsed->name, parsed->overload});
  if (!handle) RefuseNode(node, "this LibTorch has no operator of this name (one of a library of its own?)");
  const auto given = Given(node);
  if (TakesNumberForTensor(handle->schema(), given))
    if (const auto scalar = ScalarOverload(*parsed, given)) handle = scalar;
  const c10::FunctionSchema& schema = handle->schema();
  const std::vector<Value*> operands = Operands(schema, graph, node, scope);
  Node* const made = graph_.create(c10::Symbol::fromQualString(schema.name()), operands, schema.returns().size());
  for (std::size_t i = 0; i < schema.returns().size(); ++i) made->outputs()[i]->setType(schema.returns()[i].type());
  graph_.insertNode(made);
  const auto* const found = made->maybeSchema();
  if (!found || found->overload_name() != schema.overload_name())
    RefuseNode(node, "LibTorch's interpreter has no operator with these arguments");
  const Json& outputs = node.at("outputs");
  if (outputs.size() != schema.returns().size()) {
    if (outputs.empty() || (outputs.size() == 1 && outputs[0].contains("as_none"))) return;
    RefuseNode(node, fmt::format("it has {} results in the file and {} here", outputs.size(), schema.returns().size()));
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) Bind(graph, outputs[i], made->outputs()[i], scope);
}

void ExportedNodes::Name(const Json& graph, const std::string& name, Value* value, Scope& scope) {
  if (!scope.emplace(name, value).second) throw Error(fmt::format("'{}' is made twice", name));
  if (value->type()->kind() == c10::TypeKind::TensorType) SetSizes(graph, name, value);
  const bool is_number =
      std::all_of(name.begin(), name.end(), [](char letter) { return letter >= '0' && letter <= '9'; });
  if (!value->hasDebugName() && !is_number) value->setDebugName(name);  // graphs number what has no name
}

void ExportedNodes::Bind(const Json& graph, const Json& output, Value* value, Scope& scope) {
  const auto [kind, named] = Untag(output);
  if (kind == "as_none") return;
  if (kind == "as_tensor" || kind == "as_optional_tensor")
    return Name(graph, named.at("name").get<std::string>(), value, scope);
  if (kind == "as_sym_int" || kind == "as_sym_float" || kind == "as_sym_bool") {
    if (named.contains("as_name")) Name(graph, named.at("as_name").get<std::string>(), value, scope);
    return;
  }
  if (kind != "as_tensors") throw Error(fmt::format("a result of kind {} has no meaning here", kind));
  Node* const parts = graph_.insertNode(graph_.createListUnpack(value, named.size()));
  for (std::size_t i = 0; i < named.size(); ++i)
    Name(graph, named[i].at("name").get<std::string>(), parts->outputs()[i], scope);
}

}  // namespace bitplan::network
