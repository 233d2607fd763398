#pragma once

#include <c10/core/Device.h>

#include <string>

namespace bitplan::network {

/// Where networks can run, in words.
constexpr const char* kDevices = "cpu or, with a CUDA build of LibTorch and a GPU, cuda or cuda:INDEX";

/// The device that `text` names. Throws Error when there is none of that name here.
at::Device FindDevice(const std::string& text);

}  // namespace bitplan::network
