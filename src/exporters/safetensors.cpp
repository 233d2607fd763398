#include "safetensors.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>

#include "bitplan/error.h"

namespace bitplan::exporters {

namespace {

static_assert(std::endian::native == std::endian::little, "tensors are written as they lie in memory");

std::string SafetensorsType(const std::string& name, at::ScalarType type) {
  switch (type) {
    case at::kFloat:
      return "F32";
    case at::kDouble:
      return "F64";
    case at::kHalf:
      return "F16";
    case at::kBFloat16:
      return "BF16";
    case at::kChar:
      return "I8";
    case at::kByte:
      return "U8";
    case at::kShort:
      return "I16";
    case at::kInt:
      return "I32";
    case at::kLong:
      return "I64";
    case at::kBool:
      return "BOOL";
    default:
      throw Error(fmt::format("{}: safetensors have no numbers of type {}", name, c10::toString(type)));
  }
}

}  // namespace

void WriteSafetensors(const std::vector<std::pair<std::string, at::Tensor>>& tensors,
                      const std::map<std::string, std::string>& metadata, const ByteSink& sink) {
  nlohmann::ordered_json header;
  header["__metadata__"] = metadata;
  std::size_t begin = 0;
  for (const auto& [name, tensor] : tensors) {
    const std::size_t end = begin + tensor.nbytes();
    header[name] = {{"dtype", SafetensorsType(name, tensor.scalar_type())},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {begin, end}}};
    begin = end;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // tensors lie aligned
  const std::uint64_t length = text.size();
  std::string first(sizeof length, '\0');
  std::memcpy(first.data(), &length, sizeof length);
  sink(first + text);
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor flat = tensor.detach().to(at::kCPU).contiguous();
    sink({static_cast<const char*>(flat.const_data_ptr()), flat.nbytes()});
  }
}

}  // namespace bitplan::exporters
