#include "bitplan/model_state.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>

#include "bitplan/error.h"
#include "readers/model_reader.h"

namespace bitplan {

namespace {

static_assert(std::endian::native == std::endian::little, "tensors are written as they lie in memory");

const char* SafetensorsType(const Parameter& parameter) {
  switch (parameter.value.scalar_type()) {
    case at::kDouble:
      return "F64";
    case at::kFloat:
      return "F32";
    case at::kHalf:
      return "F16";
    case at::kBFloat16:
      return "BF16";
    case at::kLong:
      return "I64";
    case at::kInt:
      return "I32";
    case at::kShort:
      return "I16";
    case at::kChar:
      return "I8";
    case at::kByte:
      return "U8";
    case at::kBool:
      return "BOOL";
    default:
      break;
  }
  throw Error(fmt::format("'{}' is of type {}, which safetensors files do not have", parameter.name,
                          c10::toString(parameter.value.scalar_type())));
}

std::string Header(const std::vector<Parameter>& state) {
  constexpr std::size_t kAlignment = 8;
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  std::size_t begin = 0;
  for (const Parameter& parameter : state) {
    const std::size_t end = begin + parameter.value.nbytes();
    header[parameter.name] = {{"dtype", SafetensorsType(parameter)},
                              {"shape", parameter.value.sizes().vec()},
                              {"data_offsets", {begin, end}}};
    begin = end;
  }
  std::string text = header.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  text.resize((text.size() + kAlignment - 1) / kAlignment * kAlignment, ' ');
  const std::uint64_t length = text.size();
  text.insert(0, sizeof length, '\0');
  std::memcpy(text.data(), &length, sizeof length);
  return text;
}

}  // namespace

std::vector<Parameter> ModelState(const std::filesystem::path& file) {
  const network::ModelContent content(file);
  return network::ReaderOf(content).State(content);
}

void WriteSafetensors(const std::vector<Parameter>& state, const ByteSink& sink) {
  std::vector<Parameter> ordered = state;  // the widest elements first: all lie aligned
  std::stable_sort(ordered.begin(), ordered.end(), [](const Parameter& a, const Parameter& b) {
    return a.value.element_size() > b.value.element_size();
  });
  sink(Header(ordered));
  for (const Parameter& parameter : ordered) {
    const at::Tensor flat = parameter.value.detach().to(at::kCPU).contiguous();
    sink({static_cast<const char*>(flat.const_data_ptr()), flat.nbytes()});
  }
}

}  // namespace bitplan
