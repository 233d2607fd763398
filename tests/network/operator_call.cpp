#include "network/operator_call.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/runtime/operator.h>

#include <algorithm>
#include <map>
#include <stdexcept>

#include "network/operator_traits.h"

namespace bitplan::test::operators {

namespace {

using c10::IValue;

using Sizes = std::vector<std::int64_t>;

/// Arguments that are no operands, for tensors with 4 elements along each axis.
const std::map<std::string, IValue, std::less<>>& Settings() {
  static const std::map<std::string, IValue, std::less<>> settings = {
      {"min", -1.0},
      {"max", 1.0},
      {"p", 0.5},
      {"train", false},
      {"exponent", 2.0},
      {"fill_value", 1.0},
      {"equation", "ij,jk->ik"},
      {"dim", 1},
      {"dim0", 1},
      {"dim1", 0},
      {"axis0", 1},
      {"axis1", 0},
      {"dims", Sizes{1, 2, 3, 0}},
      {"source", 0},
      {"destination", 1},
      {"dimension", 0},
      {"index", 1},
      {"start", 1},
      {"length", 2},
      {"step", 1},
      {"split_size", 2},
      {"split_sizes", Sizes{1, 3}},
      {"chunks", 2},
      {"sections", 2},
      {"sizes", Sizes{2, 2}},
      {"shape", Sizes{64, 4}},
      {"repeats", Sizes{2, 1, 1, 1}},
      {"shifts", Sizes{1, 1, 1, 1}},
      {"pad", Sizes{1, 1}},
      {"upscale_factor", 2},
      {"align_corners", false},
      {"normalized_shape", Sizes{4}},
      {"num_groups", 2},
      {"training", true},
      {"use_input_stats", true},
      {"momentum", 0.1},
      {"eps", 1e-9},
      {"cudnn_enabled", false},
  };
  return settings;
}

/// Of arguments that have one name in operators that need different ones; nothing for others.
std::optional<IValue> SettingOf(std::string_view name, const c10::Argument& argument) {
  const std::string& of = argument.name();
  const auto along = [&](std::int64_t size) {
    return Sizes(static_cast<std::size_t>(network::OperatorAxes(name)), size);
  };
  if (of == "kernel_size") return along(2);
  if (of == "output_size") return along(network::Has(name, network::OperatorTrait::Upsampling) ? 8 : 2);
  if (of == "dtype" && name == "to") return static_cast<std::int64_t>(at::kFloat);
  if (of == "stride" && name.starts_with("as_strided")) return Sizes{4, 1};
  if (of != "size") return std::nullopt;
  if (name == "unfold") return std::int64_t{2};
  const bool whole = name == "expand" || name == "broadcast_to" || name == "sum_to_size";
  return whole ? Sizes{4, 4, 4, 4} : Sizes{64, 4};
}

std::optional<IValue> Setting(std::string_view name, const c10::Argument& argument) {
  auto setting = SettingOf(name, argument);
  if (const auto found = Settings().find(argument.name()); !setting && found != Settings().end())
    setting = found->second;
  return setting && setting->type()->isSubtypeOf(*argument.type()) ? setting : std::nullopt;
}

bool IsOperand(const c10::Argument& argument, const IValue& value) {
  return argument.type()->kind() == c10::TypeKind::VarType || value.type()->isSubtypeOf(*argument.type());
}

/// The stack that an overload is called with; nothing where it reads other operands.
std::optional<torch::jit::Stack> Arguments(std::string_view name, const c10::FunctionSchema& schema,
                                           const std::vector<IValue>& operands) {
  torch::jit::Stack stack;
  std::size_t read = 0;
  for (const c10::Argument& argument : schema.arguments()) {
    if (argument.name() == "out") return std::nullopt;
    if (read < operands.size() && IsOperand(argument, operands[read])) {
      stack.push_back(operands[read++]);
    } else if (const auto setting = Setting(name, argument)) {
      stack.push_back(*setting);
    } else if (argument.default_value()) {
      stack.push_back(*argument.default_value());
    } else if (argument.type()->kind() == c10::TypeKind::OptionalType) {
      stack.emplace_back();
    } else {
      return std::nullopt;
    }
  }
  return read == operands.size() ? std::optional(stack) : std::nullopt;
}

/// 4 elements along each axis, of as many axes as the operator can have.
std::vector<std::int64_t> ShapeFor(std::string_view name) {
  if (name == "t" || name == "t_" || name == "numpy_T") return {4, 4};
  if (name == "linear" || name == "mm") return {4, 4};
  if (name == "bmm") return {4, 4, 4};
  if (name == "meshgrid") return {4};
  const int axes = network::OperatorAxes(name);
  return std::vector<std::int64_t>(axes > 0 ? static_cast<std::size_t>(axes) + 2 : 4, 4);
}

at::Tensor AsOne(const IValue& value) {
  if (value.isTensor()) return value.toTensor();
  std::vector<at::Tensor> parts;
  for (const at::Tensor& part : value.toTensorVector()) parts.push_back(part.reshape(-1));
  return at::cat(parts);
}

std::set<double> Elements(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.to(at::kDouble).reshape(-1).contiguous();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

}  // namespace

std::optional<std::vector<IValue>> Call(std::string_view name, const std::vector<IValue>& operands) {
  for (const char* const space : {"aten::", "prim::"})
    for (const auto& overload :
         torch::jit::getAllOperatorsFor(c10::Symbol::fromQualString(space + std::string(name)))) {
      auto stack = Arguments(name, overload->schema(), operands);
      if (!stack) continue;
      overload->getOperation()(*stack);
      return *stack;
    }
  return std::nullopt;
}

std::vector<std::string> With(network::OperatorTrait trait) {
  std::vector<std::string> names;
  for (const network::OperatorRow& row : network::KnownOperators())
    if (row.traits.Contains(trait)) names.emplace_back(row.name);
  return names;
}

void ForEach(network::OperatorTrait trait, const std::function<void(const std::string&)>& check) {
  ASSERT_FALSE(With(trait).empty());
  for (const std::string& name : With(trait)) {
    SCOPED_TRACE(name);
    try {
      check(name);
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
  }
}

at::Tensor Random(const std::string& name, std::uint64_t seed) {
  at::manual_seed(seed);
  return at::randn(ShapeFor(name)) * 3;
}

at::Tensor Numbered(const std::string& name) {
  return (at::arange(c10::multiply_integers(ShapeFor(name)), at::kFloat) + 1).view(ShapeFor(name));
}

IValue Of(const std::string& name, const at::Tensor& operand, const at::Tensor& second) {
  const at::Tensor other = second.defined() ? second : operand;
  const IValue list(std::vector<at::Tensor>{operand, other});
  for (const std::vector<IValue>& operands : {std::vector<IValue>{operand}, {operand, other}, {list}})
    if (const auto results = Call(name, operands)) return results->front();
  throw std::runtime_error("no overload for such operands");
}

at::Tensor Result(const std::string& name, const at::Tensor& operand, const at::Tensor& second) {
  return AsOne(Of(name, operand.clone(), second));
}

bool Holds(const at::Tensor& all, const at::Tensor& some) {
  const std::set<double> elements = Elements(all);
  const std::set<double> taken = Elements(some);
  return std::includes(elements.begin(), elements.end(), taken.begin(), taken.end());
}

}  // namespace bitplan::test::operators
