#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace bitplan::network {

/// The operator of LibTorch's graphs that computes what an operator on sizes and numbers of a program does, "aten::add"
/// for "_operator.add"; nothing for other targets.
std::optional<std::string> ScalarOperator(std::string_view target);

/// Whether the target only checks what the program was exported for, and computes nothing.
bool IsAssertion(std::string_view target);

}  // namespace bitplan::network
