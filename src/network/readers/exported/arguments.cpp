#include "readers/exported/arguments.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <torch/csrc/jit/ir/constants.h>

#include <utility>

#include "bitplan/error.h"
#include "readers/exported/schema_types.h"

namespace bitplan::network {

namespace {

using torch::jit::Value;

c10::TypePtr WithoutOptional(const c10::TypePtr& type) {
  const auto optional = type ? type->cast<c10::OptionalType>() : nullptr;
  return optional ? optional->getElementType() : type;
}

c10::TypePtr ElementOf(const c10::TypePtr& type) {
  const auto list = type ? type->cast<c10::ListType>() : nullptr;
  return list ? list->getElementType() : nullptr;
}

bool IsKind(const c10::TypePtr& type, c10::TypeKind kind) { return type && type->kind() == kind; }

/// A number as the type has it: whole numbers as floats, booleans as whole numbers.
c10::IValue Cast(const c10::IValue& number, c10::TypeKind kind) {
  const at::Scalar scalar = number.toScalar();
  if (kind == c10::TypeKind::FloatType) return scalar.toDouble();
  if (kind == c10::TypeKind::BoolType) return scalar.toDouble() != 0;
  if (kind == c10::TypeKind::IntType || number.isBool()) return scalar.toLong();
  return number;
}

std::vector<double> Floats(const Json& list) {
  std::vector<double> floats;
  for (const Json& each : list) floats.push_back(FloatOf(each));
  return floats;
}

}  // namespace

bool IsNumber(const std::string& kind) { return kind == "as_int" || kind == "as_float" || kind == "as_bool"; }

Value* Find(const Scope& scope, const std::string& name) {
  const auto found = scope.find(name);
  if (found == scope.end()) throw Error(fmt::format("it reads '{}' before anything makes it", name));
  return found->second;
}

Value* ExportedArguments::List(const std::vector<Value*>& items, const c10::TypePtr& element) const {
  return graph_.insertNode(graph_.createList(element, items))->output();
}

Value* ExportedArguments::Number(c10::IValue number, const c10::TypePtr& wanted, at::ScalarType number_type) const {
  if (!wanted) return graph_.insertConstant(number);
  if (wanted->kind() == c10::TypeKind::TensorType)
    return graph_.insertConstant(at::scalar_tensor(number.toScalar(), at::TensorOptions(number_type).device(device_)));
  if (const c10::TypePtr element = ElementOf(wanted)) {
    if (element->kind() == c10::TypeKind::FloatType)
      return graph_.insertConstant(std::vector<double>{number.toScalar().toDouble()});
    return graph_.insertConstant(std::vector<std::int64_t>{number.toScalar().toLong()});
  }
  return graph_.insertConstant(Cast(number, wanted->kind()));
}

/// {"as_name": "sym_size_int"}, or the number itself.
Value* ExportedArguments::Symbol(const Json& symbol, const Scope& scope) const {
  const auto [kind, value] = Untag(symbol);
  if (kind == "as_name") return Find(scope, value.get<std::string>());
  if (value.is_boolean()) return graph_.insertConstant(value.get<bool>());
  if (kind == "as_float") return graph_.insertConstant(FloatOf(value));
  return graph_.insertConstant(value.get<std::int64_t>());
}

Value* ExportedArguments::SymbolAs(const Json& symbol, const c10::TypePtr& wanted, const Scope& scope) const {
  Value* const value = Symbol(symbol, scope);
  const bool is_int = value->type()->kind() == c10::TypeKind::IntType;
  if (IsKind(wanted, c10::TypeKind::FloatType) && is_int) return graph_.insert(c10::aten::Float, {value});
  if (!IsKind(wanted, c10::TypeKind::TensorType)) return value;
  const at::ScalarType type = is_int                                             ? at::kLong
                              : value->type()->kind() == c10::TypeKind::BoolType ? at::kBool
                                                                                 : at::kFloat;
  const torch::jit::NamedValue named("dtype", graph_.insertConstant(static_cast<std::int64_t>(type)));
  return graph_.insert(c10::aten::scalar_tensor, {value}, {named});
}

Value* ExportedArguments::OptionalTensor(const Json& argument, const Scope& scope) const {
  const auto [kind, value] = Untag(argument);
  if (kind == "as_none") return graph_.insertConstant(c10::IValue());
  return Find(scope, value.at("name").get<std::string>());
}

std::vector<Value*> ExportedArguments::Items(const Json& argument, const Scope& scope) const {
  const auto [kind, list] = Untag(argument);
  std::vector<Value*> items;
  for (const Json& each : list) {
    if (kind == "as_tensors")
      items.push_back(Find(scope, each.at("name").get<std::string>()));
    else if (kind == "as_optional_tensors")
      items.push_back(OptionalTensor(each, scope));
    else if (kind == "as_ints")
      items.push_back(graph_.insertConstant(each.get<std::int64_t>()));
    else if (kind.starts_with("as_sym_"))
      items.push_back(Symbol(each, scope));
    else
      throw Error(fmt::format("a list of kind {} has no meaning here", kind));
  }
  return items;
}

Value* ExportedArguments::Make(const Json& argument, const c10::TypePtr& wanted_or_none, const Scope& scope,
                               at::ScalarType number_type) const {
  const auto [kind, value] = Untag(argument);
  const c10::TypePtr wanted = WithoutOptional(wanted_or_none);
  const c10::TypePtr element = ElementOf(wanted);
  if (kind == "as_none") return graph_.insertConstant(c10::IValue());
  if (kind == "as_tensor") return Find(scope, value.at("name").get<std::string>());
  if (kind == "as_optional_tensor") return OptionalTensor(value, scope);
  if (kind == "as_tensors" || kind == "as_optional_tensors") {
    const bool optional = kind == "as_optional_tensors" || IsKind(element, c10::TypeKind::OptionalType);
    return List(Items(argument, scope),
                optional ? c10::TypePtr(c10::OptionalType::ofTensor()) : c10::TypePtr(c10::TensorType::get()));
  }
  if (kind == "as_int") return Number(value.get<std::int64_t>(), wanted, number_type);
  if (kind == "as_float") return Number(FloatOf(value), wanted, number_type);
  if (kind == "as_bool") return Number(value.get<bool>(), wanted, number_type);
  if (kind == "as_ints" && !IsKind(element, c10::TypeKind::FloatType))
    return graph_.insertConstant(value.get<std::vector<std::int64_t>>());
  if (kind == "as_ints" || kind == "as_floats") return graph_.insertConstant(Floats(value));
  if (kind == "as_bools") {
    c10::List<bool> flags;
    for (const Json& each : value) flags.push_back(each.get<bool>());
    return graph_.insertConstant(flags);
  }
  if (kind == "as_string") return graph_.insertConstant(value.get<std::string>());
  if (kind == "as_strings") return graph_.insertConstant(value.get<std::vector<std::string>>());
  if (kind == "as_sym_int" || kind == "as_sym_float" || kind == "as_sym_bool") return SymbolAs(value, wanted, scope);
  if (kind == "as_sym_ints") return List(Items(argument, scope), c10::IntType::get());
  if (kind == "as_sym_floats") return List(Items(argument, scope), c10::FloatType::get());
  if (kind == "as_scalar_type")
    return graph_.insertConstant(static_cast<std::int64_t>(TypeOfSchema(value.get<std::int64_t>())));
  if (kind == "as_memory_format")
    return graph_.insertConstant(static_cast<std::int64_t>(MemoryFormatOfSchema(value.get<std::int64_t>())));
  if (kind == "as_layout") {
    if (value.get<std::int64_t>() != kStridedOfSchema)
      throw Error("it makes a sparse tensor, or one of another layout");
    return graph_.insertConstant(static_cast<std::int64_t>(c10::kStrided));
  }
  if (kind == "as_device") return graph_.insertConstant(device_);
  throw Error(fmt::format("its argument of kind {} has no meaning here", kind));
}

}  // namespace bitplan::network
