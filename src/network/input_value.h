#pragma once

#include <ATen/core/function_schema.h>
#include <ATen/core/ivalue.h>

#include <map>
#include <string>

namespace bitplan::network {

/// Throws Error unless all of `values` are of arguments of a module's forward that are no tensors; it lists those.
void CheckInputNames(const c10::FunctionSchema& schema, const std::map<std::string, std::string>& values);

/// The value of an int, bool, float or str argument, or an Optional of these, that `text` says: 16000, true, 0.5,
/// none. Throws Error naming the argument, its type and a text that would do.
c10::IValue ParseInputValue(const c10::Argument& argument, const std::string& text);

/// The text that ParseInputValue reads as `value`.
std::string InputValueText(const c10::IValue& value);

/// Throws the Error about an argument that has neither a value nor a default.
[[noreturn]] void RejectMissingValue(const c10::Argument& argument);

}  // namespace bitplan::network
