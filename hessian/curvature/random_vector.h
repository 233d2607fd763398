#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <random>
#include <vector>

namespace bitplan::hessian {

/// A generator for one of many independent streams; the same everywhere for the same numbers.
std::mt19937_64 MakeGenerator(std::uint64_t seed, std::uint64_t stream, std::uint64_t substream = 0);

/// Like `shape_of`, with elements ±1 of equal probability.
at::Tensor Rademacher(const at::Tensor& shape_of, std::mt19937_64& generator);

/// Uniform in [−1, 1).
std::vector<double> UniformVector(std::size_t size, std::mt19937_64& generator);

}  // namespace bitplan::hessian
