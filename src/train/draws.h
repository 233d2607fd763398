#pragma once

#include <ATen/core/Generator.h>

#include <cstdint>

namespace bitplan::train {

/// What a seed is for.
enum class DrawKind : std::uint64_t { Order, Step };

/// A seed of its own for everything that is drawn: a run that goes on needs no state of generators.
std::uint64_t DrawSeed(std::uint64_t seed, DrawKind kind, std::int64_t epoch, std::int64_t step);

/// LibTorch's default generator of a device, which dropout draws from: seeded here, and as it was before once this is
/// gone.
class DefaultGenerator {
 public:
  explicit DefaultGenerator(at::Device device);
  ~DefaultGenerator();
  DefaultGenerator(const DefaultGenerator&) = delete;
  DefaultGenerator& operator=(const DefaultGenerator&) = delete;

  void Seed(std::uint64_t seed);

 private:
  at::Generator generator_;
  at::Tensor before_;
};

}  // namespace bitplan::train
