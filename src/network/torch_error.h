#pragma once

#include <exception>
#include <string>

namespace bitplan {

/// LibTorch's reason for an exception, in one line and without its tracebacks.
std::string TorchReason(const std::exception& error);

}  // namespace bitplan
