#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "network/operator_traits.h"

namespace bitplan::test::operators {

// LibTorch's operators by name, run on tensors with 4 elements along each axis.

/// What LibTorch's operator of this name (aten or prim) makes of some operands: by the first overload that reads just
/// so many, other arguments being their defaults or numbers that fit. Nothing where no overload does. Operands are
/// written to where the operator does.
std::optional<std::vector<c10::IValue>> Call(std::string_view name, const std::vector<c10::IValue>& operands);

/// The first result for an operand or, where the operator needs another, that and `second`.
c10::IValue Of(const std::string& name, const at::Tensor& operand, const at::Tensor& second = {});

/// The same as one tensor, parts behind one another; the operand stays as it is.
at::Tensor Result(const std::string& name, const at::Tensor& operand, const at::Tensor& second = {});

/// Of as many axes as the operator can have.
at::Tensor Random(const std::string& name, std::uint64_t seed = 1);
at::Tensor Numbered(const std::string& name);  ///< all elements differ, and none is 0

/// Whether the elements of `some` are among those of `all`.
bool Holds(const at::Tensor& all, const at::Tensor& some);

std::vector<std::string> With(network::OperatorTrait trait);

/// Of all operators with the trait, one at least.
void ForEach(network::OperatorTrait trait, const std::function<void(const std::string&)>& check);

}  // namespace bitplan::test::operators
