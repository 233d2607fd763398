#include "groundwork.h"

#include "quantize/grid_memory.h"

namespace bitplan::hessian {

const quantize::QuantizedWeights& Groundwork::Weights() {
  if (!weights_) {
    std::vector<Format> formats;
    for (const int bits : choices_.weight_widths) formats.push_back(choices_.weight_format.WithBits(bits));
    quantize::CheckGridsFit(network_, formats, limits_.memory_bytes);
    weights_.emplace(network_, choices_.weight_format, choices_.weight_widths, progress_);
  }
  return *weights_;
}

const ActivationStatistics& Groundwork::Statistics() {
  if (!statistics_) statistics_ = ActivationStatistics::Collect(network_, data_, limits_, progress_);
  return *statistics_;
}

}  // namespace bitplan::hessian
