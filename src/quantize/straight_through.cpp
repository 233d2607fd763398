#include "quantize/straight_through.h"

#include <ATen/ATen.h>

namespace bitplan::quantize {

at::Tensor StraightThrough(const at::Tensor& value, const at::Tensor& source, const at::Tensor& slope) {
  if (!at::GradMode::is_enabled() || !source.requires_grad()) return value;
  const at::Tensor nothing = source - source.detach();
  return value + (slope.defined() ? nothing * slope : nothing);
}

}  // namespace bitplan::quantize
