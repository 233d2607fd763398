#pragma once

#include <exception>
#include <string>

namespace bitplan::network {

/// Whether memory ran out: the C++ library's exception, or what LibTorch makes of one, of the host or a device.
bool IsOutOfMemory(const std::exception& error);

/// Whether an exception tells of what a model or its inputs are, which is bad input: memory that ran out, and what
/// LibTorch says of operators, shapes and types, itself or through its interpreter. Everything else is a bug and is to
/// be passed on as it is: what the C++ library throws (std::logic_error, std::bad_variant_access, …) and LibTorch's
/// internal assertions.
bool IsOfModel(const std::exception& error);

/// LibTorch's reason for an exception, in one line and without its tracebacks; of memory that ran out also what to do.
std::string TorchReason(const std::exception& error);

}  // namespace bitplan::network
