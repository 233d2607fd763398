#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>

#include <charconv>
#include <string_view>

#include "bitplan/error.h"
#include "bitplan/network.h"
#include "network/device.h"
#include "network/torch_error.h"

namespace bitplan {

namespace {

[[noreturn]] void Reject(const std::string& text) {
  throw Error(
      fmt::format("input shape '{}': expected the positive sizes of one sample, as in 3,32,32 or 16:int64", text));
}

std::vector<std::int64_t> ParseSizes(std::string_view sizes, const std::string& text) {
  std::vector<std::int64_t> shape{1};
  while (!sizes.empty()) {
    std::int64_t size = 0;
    const auto [end, status] = std::from_chars(sizes.data(), sizes.data() + sizes.size(), size);
    if (status != std::errc() || size < 1 || size > (std::int64_t{1} << 31)) Reject(text);
    shape.push_back(size);
    sizes.remove_prefix(static_cast<std::size_t>(end - sizes.data()));
    if (sizes.empty()) break;
    if (sizes.front() != ',' || sizes.size() == 1) Reject(text);
    sizes.remove_prefix(1);
  }
  return shape;
}

}  // namespace

std::vector<at::Tensor> ExampleInputs(const std::vector<std::string>& shapes, const std::string& device) {
  const at::Device found = network::FindDevice(device);
  auto generator = at::make_generator<at::CPUGeneratorImpl>(0);
  std::vector<at::Tensor> inputs;
  for (const std::string& text : shapes) {
    const auto colon = text.find(':');
    const std::string type = colon == std::string::npos ? "float32" : text.substr(colon + 1);
    const auto shape = ParseSizes(std::string_view(text).substr(0, colon), text);
    if (type != "float32" && type != "int64") Reject(text);
    try {
      inputs.push_back((type == "int64" ? at::zeros(shape, at::kLong) : at::randn(shape, generator)).to(found));
    } catch (const std::exception& error) {
      if (!network::IsOfModel(error)) throw;
      throw Error(fmt::format("an input of shape '{}' cannot be made on device '{}': {}", text, device,
                              network::TorchReason(error)));
    }
  }
  return inputs;
}

}  // namespace bitplan
