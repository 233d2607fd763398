#include "readers/traced_example.h"

#include <ATen/core/Dict.h>
#include <ATen/core/List.h>
#include <ATen/core/ivalue.h>
#include <torch/csrc/jit/serialization/unpickler.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace bitplan::network {

namespace {

/// torch.jit.load leaves the example in the archive, or puts its shapes on the graph's values, which then speak of this
/// batch alone. The archive keeps the tensors without their elements, so none are read here.
c10::IValue Unpickle(const std::vector<std::uint8_t>& bytes) {
  constexpr std::string_view kQuantized = "_rebuild_qtensor";  // which reads the elements of its scales
  if (std::search(bytes.begin(), bytes.end(), kQuantized.begin(), kQuantized.end()) != bytes.end()) return {};
  std::size_t at = 0;
  const auto read = [&](char* to, std::size_t size) {
    const std::size_t count = std::min(size, bytes.size() - at);
    if (count > 0) std::memcpy(to, bytes.data() + at, count);
    at += count;
    return count;
  };
  const auto no_elements = [](const std::string&) { return at::DataPtr(nullptr, at::kCPU); };
  torch::jit::Unpickler unpickler(read, /*type_resolver=*/nullptr, /*obj_loader=*/nullptr, no_elements, at::kCPU);
  return unpickler.parse_ivalue();
}

/// Every tensor of the example, in tuples, lists and dicts as it may be.
void AddTensors(const c10::IValue& value, std::vector<at::Tensor>& tensors) {
  if (value.isTensor()) tensors.push_back(value.toTensor());
  if (value.isTuple())
    for (const c10::IValue& item : value.toTupleRef().elements()) AddTensors(item, tensors);
  if (value.isList())
    for (const c10::IValue& item : value.toListRef()) AddTensors(item, tensors);
  if (value.isGenericDict())
    for (const auto& entry : value.toGenericDict()) AddTensors(entry.value(), tensors);
}

/// The example's tensors by the name of the method that was traced with it.
std::vector<at::Tensor> TensorsOfForward(const c10::IValue& examples) {
  std::vector<at::Tensor> tensors;
  if (!examples.isGenericDict()) return tensors;
  for (const auto& entry : examples.toGenericDict())
    if (entry.key().isString() && entry.key().toStringRef() == "forward") AddTensors(entry.value(), tensors);
  return tensors;
}

}  // namespace

std::optional<std::int64_t> SamplesOfTracedExample(const ModelContent& content) {
  const auto entry = content.Find("traced_inputs.pkl");
  if (!entry) return std::nullopt;
  std::vector<at::Tensor> tensors;
  try {
    tensors = TensorsOfForward(Unpickle(content.archive()->Read(*entry)));
  } catch (const std::exception&) {  // an example that holds objects of classes: it tells nothing here
    return std::nullopt;
  }
  std::optional<std::int64_t> samples;
  for (const at::Tensor& tensor : tensors) {
    if (!tensor.defined() || tensor.dim() == 0) return std::nullopt;
    if (samples && *samples != tensor.size(0)) return std::nullopt;
    samples = tensor.size(0);
  }
  return samples;
}

}  // namespace bitplan::network
