#pragma once

#include <c10/core/Device.h>

#include <string>

namespace bitplan::network {

/// The device that `text` names. Throws Error when there is none of that name here.
at::Device FindDevice(const std::string& text);

}  // namespace bitplan::network
