#include <ATen/ATen.h>

#include "bitplan/quantize.h"

namespace bitplan {

at::Tensor FakeQuantize(const at::Tensor& x, const Format& format, const ActivationRange& range) {
  if (format.bits == 32) return x;
  if (format.bits == 16) {
    const at::Tensor rounded = x.detach().to(at::kHalf).to(x.scalar_type());
    // Adding a difference of equal numbers hands the gradient on without rounding it to float16.
    return x.requires_grad() ? rounded + (x - x.detach()) : rounded;
  }
  return at::fake_quantize_per_tensor_affine(x, range.scale, range.zero_point, format.QuantMin(), format.QuantMax());
}

}  // namespace bitplan
