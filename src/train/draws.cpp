#include "draws.h"

#include <ATen/Context.h>

#include <mutex>

namespace bitplan::train {

namespace {

/// The finalizer of SplitMix64 (Steele, Lea and Flood 2014).
std::uint64_t Mix(std::uint64_t bits) {
  bits += 0x9E3779B97F4A7C15U;
  bits = (bits ^ (bits >> 30U)) * 0xBF58476D1CE4E5B9U;
  bits = (bits ^ (bits >> 27U)) * 0x94D049BB133111EBU;
  return bits ^ (bits >> 31U);
}

}  // namespace

std::uint64_t DrawSeed(std::uint64_t seed, DrawKind kind, std::int64_t epoch, std::int64_t step) {
  std::uint64_t bits = Mix(seed);
  for (const std::uint64_t part :
       {static_cast<std::uint64_t>(kind), static_cast<std::uint64_t>(epoch), static_cast<std::uint64_t>(step)})
    bits = Mix(bits ^ part);
  return bits;
}

DefaultGenerator::DefaultGenerator(at::Device device) : generator_(at::globalContext().defaultGenerator(device)) {
  const std::lock_guard lock(generator_.mutex());
  before_ = generator_.get_state();
}

DefaultGenerator::~DefaultGenerator() {
  const std::lock_guard lock(generator_.mutex());
  generator_.set_state(before_);
}

void DefaultGenerator::Seed(std::uint64_t seed) {
  const std::lock_guard lock(generator_.mutex());
  generator_.set_current_seed(seed);
}

}  // namespace bitplan::train
