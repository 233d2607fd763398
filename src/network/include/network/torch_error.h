#pragma once

#include <exception>
#include <string>

#include "bitplan/error.h"

namespace bitplan::network {

/// The refusal of a network for what it is, or does with these inputs: so it is whenever it is tried, and nothing that
/// was computed before is of use.
class RefusedNetwork : public Error {
 public:
  using Error::Error;
};

/// Whether memory ran out: the C++ library's exception, or what LibTorch makes of one, of the host or a device.
bool IsOutOfMemory(const std::exception& error);

/// Whether an exception tells of what a model or its inputs are, which is bad input: memory that ran out, and what
/// LibTorch says of operators, shapes and types, itself or through its interpreter. Everything else is a bug and is to
/// be passed on as it is: what the C++ library throws (std::logic_error, std::bad_variant_access, …) and LibTorch's
/// internal assertions.
bool IsOfModel(const std::exception& error);

/// Throws RefusedNetwork with this message; where memory ran out, which other options may help with, an Error.
[[noreturn]] void RefuseNetwork(const std::exception& cause, const std::string& message);

/// LibTorch's reason for an exception, in one line and without its tracebacks; of memory that ran out also what to do.
std::string TorchReason(const std::exception& error);

}  // namespace bitplan::network
