#pragma once

#include <exception>
#include <string>

namespace bitplan {

/// Whether memory ran out: the C++ library's exception, or what LibTorch makes of one, of the host or a device.
bool IsOutOfMemory(const std::exception& error);

/// LibTorch's reason for an exception, in one line and without its tracebacks; of memory that ran out also what to do.
std::string TorchReason(const std::exception& error);

}  // namespace bitplan
