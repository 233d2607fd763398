#include "corrections/sample_passes.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace bitplan::quantize {

std::vector<std::vector<at::Tensor>> InPasses(const std::vector<at::Tensor>& inputs, std::int64_t samples_a_pass) {
  std::vector<std::vector<at::Tensor>> passes;
  const std::int64_t samples = inputs.front().size(0);
  for (std::int64_t begin = 0; begin < samples; begin += samples_a_pass) {
    std::vector<at::Tensor>& pass = passes.emplace_back();
    for (const at::Tensor& input : inputs)
      pass.push_back(input.narrow(0, begin, std::min(samples_a_pass, samples - begin)));
  }
  return passes;
}

std::vector<at::Tensor> FirstSamples(const std::vector<at::Tensor>& inputs, std::int64_t count) {
  return InPasses(inputs, count).front();
}

}  // namespace bitplan::quantize
