#include "readers/exported/scalar_operators.h"

#include <algorithm>
#include <array>
#include <utility>

namespace bitplan::network {

std::optional<std::string> ScalarOperator(std::string_view target) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 27> kOperators = {{
      {"_operator.add", "aten::add"},
      {"_operator.sub", "aten::sub"},
      {"_operator.mul", "aten::mul"},
      {"_operator.truediv", "aten::div"},
      {"_operator.floordiv", "aten::floordiv"},
      {"_operator.mod", "aten::remainder"},
      {"_operator.pow", "aten::pow"},
      {"_operator.neg", "aten::neg"},
      {"_operator.eq", "aten::eq"},
      {"_operator.ne", "aten::ne"},
      {"_operator.lt", "aten::lt"},
      {"_operator.le", "aten::le"},
      {"_operator.gt", "aten::gt"},
      {"_operator.ge", "aten::ge"},
      {"_operator.and_", "aten::__and__"},
      {"_operator.or_", "aten::__or__"},
      {"_operator.not_", "aten::__not__"},
      {"math.trunc", "aten::Int"},
      {"torch.sym_max", "prim::max"},
      {"torch.sym_min", "prim::min"},
      {"torch.sym_float", "aten::Float"},
      {"torch.sym_int", "aten::Int"},
      {"torch.sym_not", "aten::__not__"},
      {"torch.sym_sqrt", "aten::sqrt"},
      {"torch.ops.aten.sym_size.int", "aten::size"},
      {"torch.ops.aten.sym_stride.int", "aten::stride"},
      {"torch.ops.aten.sym_numel.default", "aten::numel"},
  }};
  const auto* const found =
      std::find_if(kOperators.begin(), kOperators.end(), [&](const auto& each) { return each.first == target; });
  return found == kOperators.end() ? std::nullopt : std::optional<std::string>(found->second);
}

bool IsAssertion(std::string_view target) {
  constexpr std::array<std::string_view, 7> kAssertions = {"torch.ops.aten._assert_scalar",
                                                           "torch.ops.aten._assert_tensor_metadata",
                                                           "torch.ops.aten._assert_async",
                                                           "torch.ops.aten.sym_constrain_range",
                                                           "torch.ops.aten._functional_assert",
                                                           "torch.ops.aten._functional_sym_constrain",
                                                           "torch._check"};
  return std::any_of(kAssertions.begin(), kAssertions.end(), [&](auto name) { return target.starts_with(name); });
}

}  // namespace bitplan::network
