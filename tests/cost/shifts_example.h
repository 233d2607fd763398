#pragma once

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "bitplan/stability.h"
#include "cost/example_layers.h"

namespace bitplan::cost::stability {

using Plan = std::vector<std::size_t>;  // of each layer the position of its width
inline constexpr std::array kMeasures = {Measure::LogitShift, Measure::Divergence, Measure::GaussNewton};
inline constexpr std::size_t kWidths = 2;  // 2 and 4 bits

/// What a shift v of the logits z of one sample is charged. In double, from the definitions.
inline double Charge(Measure measure, const std::vector<double>& z, const std::vector<double>& v) {
  const auto log_softmax = [&](double share) {
    double sum = 0;
    for (std::size_t c = 0; c < z.size(); ++c) sum += std::exp(z[c] + share * v[c]);
    std::vector<double> logs;
    for (std::size_t c = 0; c < z.size(); ++c) logs.push_back(z[c] + share * v[c] - std::log(sum));
    return logs;
  };
  const std::vector<double> before = log_softmax(0), after = log_softmax(1);
  double mean = 0, square = 0, divergence = 0;
  for (std::size_t c = 0; c < z.size(); ++c) {
    const double weight = measure == Measure::LogitShift ? 1 / static_cast<double>(z.size()) : std::exp(before[c]);
    mean += weight * v[c];
    square += weight * v[c] * v[c];
    divergence += std::exp(before[c]) * (before[c] - after[c]);
  }
  if (measure == Measure::Divergence) return divergence;
  return (square - mean * mean) / 2 * (measure == Measure::LogitShift ? static_cast<double>(z.size()) : 1);
}

/// Layers of equal size with 2 and 4 bits, and what each width adds to the logits.
struct Example {
  OutputShifts shifts;
  std::size_t layers = 0;

  std::vector<double> Row(const std::vector<float>& from, std::size_t row) const {
    const auto begin = from.begin() + static_cast<std::ptrdiff_t>(row * shifts.classes);
    return {begin, begin + static_cast<std::ptrdiff_t>(shifts.classes)};
  }

  /// What sample n is charged under the widths that `taken` numbers, of all layers together.
  double Charge(Measure measure, std::size_t n, const std::vector<std::size_t>& taken) const {
    std::vector<double> sum(shifts.classes);
    for (const std::size_t choice : taken) {
      const std::vector<double> shift = Row(shifts.shifts, choice * shifts.samples + n);
      for (std::size_t c = 0; c < sum.size(); ++c) sum[c] += shift[c];
    }
    return stability::Charge(measure, Row(shifts.logits, n), sum);
  }

  double Loss(Measure measure, const SampleCounts& counts, const Plan& plan) const {
    std::vector<std::size_t> taken;
    for (std::size_t i = 0; i < layers; ++i) taken.push_back(kWidths * i + plan[i]);
    double sum = 0;
    for (std::size_t n = 0; n < counts.size(); ++n) sum += static_cast<double>(counts[n]) * Charge(measure, n, taken);
    return sum / static_cast<double>(shifts.samples);
  }

  bitplan::Sensitivity Sensitivity() const {
    bitplan::Sensitivity sensitivity;
    sensitivity.samples = static_cast<std::int64_t>(shifts.samples);
    sensitivity.loss = Loss::CrossEntropy;
    sensitivity.shifts = shifts;
    Contributions table{{kMeasures.begin(), kMeasures.end()}, kWidths * layers, shifts.samples, {}};
    for (std::size_t i = 0; i < layers; ++i) {
      LayerSensitivity& layer =
          sensitivity.layers.emplace_back(ExampleLayer("layer" + std::to_string(i), "conv2d", 100, 100));
      layer.weight_choices = Choices({2, 4}, 16);
      layer.activation_choices = {Perturbation{}};
    }
    for (const Measure measure : kMeasures)
      for (std::size_t choice = 0; choice < kWidths * layers; ++choice) {
        std::vector<double> values;
        for (std::size_t n = 0; n < shifts.samples; ++n) values.push_back(Charge(measure, n, {choice}));
        sensitivity.layers[choice / kWidths].weight_choices[choice % kWidths].figures[measure] = Mean(values);
        table.values.insert(table.values.end(), values.begin(), values.end());
      }
    sensitivity.contributions = table;
    return sensitivity;
  }
};

/// Shifts (s, −s) of two logits: in the measure of logit shifts a summed s² for every sample; 4 bits shift nothing.
inline Example OfTwoBits(const std::vector<std::vector<float>>& of_layers) {
  Example example{{of_layers[0].size(), 2, std::vector<float>(2 * of_layers[0].size()), {}}, of_layers.size()};
  for (const std::vector<float>& of_layer : of_layers) {
    for (const float s : of_layer) example.shifts.shifts.insert(example.shifts.shifts.end(), {s, -s});
    example.shifts.shifts.resize(example.shifts.shifts.size() + 2 * of_layer.size());
  }
  return example;
}

}  // namespace bitplan::cost::stability
