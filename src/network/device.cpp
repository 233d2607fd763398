#include "network/device.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "bitplan/error.h"

namespace bitplan::network {

at::Device FindDevice(const std::string& text) {
  try {
    const at::Device device(text);
    at::empty({1}, at::TensorOptions().device(device));
    return device;
  } catch (const std::exception&) {
    throw Error(fmt::format("device '{}' cannot be used here; expected {}", text, kDevices));
  }
}

}  // namespace bitplan::network
