#include "curvature/random_vector.h"

#include <torch/types.h>

namespace bitplan::hessian {

namespace {

std::uint32_t Low(std::uint64_t value) { return static_cast<std::uint32_t>(value); }
std::uint32_t High(std::uint64_t value) { return static_cast<std::uint32_t>(value >> 32); }

}  // namespace

std::mt19937_64 MakeGenerator(std::uint64_t seed, std::uint64_t stream, std::uint64_t substream) {
  std::seed_seq sequence{Low(seed), High(seed), Low(stream), High(stream), Low(substream), High(substream)};
  return std::mt19937_64(sequence);
}

// The standard's distributions differ between libraries; bits of the generator do not.
at::Tensor Rademacher(const at::Tensor& shape_of, std::mt19937_64& generator) {
  const at::Tensor signs = torch::empty(shape_of.sizes(), torch::kFloat);
  float* const values = signs.data_ptr<float>();
  std::uint64_t bits = 0;
  for (std::int64_t i = 0; i < signs.numel(); ++i) {
    if (i % 64 == 0) bits = generator();
    values[i] = (bits & 1U) != 0 ? 1.0F : -1.0F;
    bits >>= 1;
  }
  return signs.to(shape_of.options().requires_grad(false));
}

std::vector<double> UniformVector(std::size_t size, std::mt19937_64& generator) {
  std::vector<double> values(size);
  for (double& value : values) value = static_cast<double>(generator() >> 11) * 0x1p-52 - 1;
  return values;
}

}  // namespace bitplan::hessian
