#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bitplan/sensitivity.h"

namespace bitplan {

inline std::vector<Perturbation> Choices(const std::vector<int>& widths, double error_at_1_bit) {
  std::vector<Perturbation> choices;
  for (const int bits : widths) {
    const double error = bits == 32 ? 0 : error_at_1_bit / static_cast<double>(1 << (2 * bits));
    choices.push_back({bits, error, error / 2, {}});
    if (bits == 32) continue;
    for (const Measure measure : {Measure::LogitShift, Measure::GaussNewton})
      choices.back().figures[measure] = {error * 3, error / 10};
  }
  return choices;
}

/// A layer with 2, 4 and 8 bits for its weight, and 8 and 32 for its input.
inline LayerSensitivity ExampleLayer(const std::string& name, const std::string& op, std::int64_t weights,
                                     std::int64_t macs) {
  LayerSensitivity layer;
  layer.name = name;
  layer.op = op;
  layer.weight_count = weights;
  layer.macs = macs;
  layer.input_count = 100;
  layer.weight = {.elements = weights, .eigenvalue = 2.0, .trace = 10.0, .trace_significant = true};
  layer.activation = {.elements = 100, .eigenvalue = 1.0, .trace = 5.0, .trace_significant = true};
  layer.weight_choices = Choices({2, 4, 8}, 160);
  layer.activation_choices = Choices({8, 32}, 655360);
  return layer;
}

/// Three convolutions and a linear layer.
inline Sensitivity ExampleSensitivity() {
  Sensitivity sensitivity;
  sensitivity.layers = {
      ExampleLayer("conv1", "conv2d", 432, 442368), ExampleLayer("block.conv1", "conv2d", 2304, 2359296),
      ExampleLayer("block.conv2", "conv2d", 2304, 2359296), ExampleLayer("linear", "linear", 640, 640)};
  return sensitivity;
}

}  // namespace bitplan
