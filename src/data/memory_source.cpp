#include "memory_source.h"

#include <ATen/Functions.h>

#include <utility>

namespace bitplan::data {

SampleForm FormOf(const RawTensor& input) {
  return {input.where, input.tensor.scalar_type(), input.tensor.sizes().slice(1).vec()};
}

MemorySource::MemorySource(RawSamples samples, std::string name, std::string sha256, std::vector<std::string> skipped)
    : samples_(std::move(samples)), name_(std::move(name)), sha256_(std::move(sha256)), skipped_(std::move(skipped)) {}

std::vector<SampleForm> MemorySource::inputs() const {
  std::vector<SampleForm> forms;
  for (const RawTensor& input : samples_.inputs) forms.push_back(FormOf(input));
  return forms;
}

std::vector<at::Tensor> MemorySource::Inputs(std::int64_t begin, std::int64_t end) const {
  std::vector<at::Tensor> read;
  for (const RawTensor& input : samples_.inputs) read.push_back(input.tensor.slice(0, begin, end));
  return read;
}

std::vector<at::Tensor> MemorySource::Inputs(const std::vector<std::int64_t>& samples) const {
  std::vector<at::Tensor> read;
  const at::Tensor numbers = at::tensor(samples, at::kLong);
  for (const RawTensor& input : samples_.inputs) read.push_back(input.tensor.index_select(0, numbers));
  return read;
}

std::int64_t MemorySource::bytes() const {
  std::int64_t bytes = 0;
  for (const RawTensor& input : samples_.inputs) bytes += static_cast<std::int64_t>(input.tensor.storage().nbytes());
  return bytes;
}

}  // namespace bitplan::data
