#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace bitplan {

/// Cubes of uniform numbers around `shift`; with `zeros` every other value is 0. Same numbers as in make_reference.py.
inline std::vector<float> SampleValues(int count, double shift, bool zeros) {
  std::uint32_t state = 12345;
  std::vector<float> values;
  for (int i = 0; i < count; ++i) {
    state = 1664525 * state + 1013904223;
    const double u = 2 * ((state + 0.5) / 4294967296.0) - 1;
    values.push_back(static_cast<float>(zeros && i % 2 == 0 ? 0.0 : u * u * u * 2 + shift));
  }
  return values;
}

inline std::vector<float> NormalValues(std::size_t count, unsigned seed, float mean = 0, float deviation = 1) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(mean, deviation);
  std::vector<float> values(count);
  for (float& value : values) value = normal(generator);
  return values;
}

}  // namespace bitplan
