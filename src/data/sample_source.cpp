#include "bitplan/sample_source.h"

#include <ATen/Functions.h>

namespace bitplan {

std::vector<at::Tensor> SampleSource::Inputs(const std::vector<std::int64_t>& samples) const {
  std::vector<std::vector<at::Tensor>> rows(inputs().size());  // of each input
  for (const std::int64_t sample : samples) {
    const std::vector<at::Tensor> of_sample = Inputs(sample, sample + 1);
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].push_back(of_sample.at(i));
  }
  std::vector<at::Tensor> joined;
  for (const std::vector<at::Tensor>& each : rows) joined.push_back(at::cat(each));
  return joined;
}

}  // namespace bitplan
