#pragma once

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/ivalue.h>

#include <utility>
#include <vector>

namespace bitplan::fast {

/// What one of LibTorch's operators gives that have no C++ function.
inline std::vector<c10::IValue> CallOperator(const char* name, const char* overload,
                                             std::vector<c10::IValue> arguments) {
  c10::Dispatcher::singleton().findSchemaOrThrow(name, overload).callBoxed(arguments);
  return arguments;
}

}  // namespace bitplan::fast
