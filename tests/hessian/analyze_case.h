#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "bitplan/analyze.h"

namespace bitplan {

inline AnalyzeOptions Options(std::vector<Measure> measures = {Measure::Eigenvalue, Measure::Trace,
                                                               Measure::WeightError}) {
  AnalyzeOptions options;
  options.weight_bits = {8, 4, 4, 32};
  options.activation_bits = {32, 8, 16};
  options.measures = std::move(measures);
  options.trace.min_probes = 32;
  options.trace.max_probes = 32;
  return options;
}

inline std::vector<int> Bits(const std::vector<Perturbation>& choices) {
  std::vector<int> bits;
  for (const Perturbation& choice : choices) bits.push_back(choice.bits);
  return bits;
}

inline const LayerSensitivity& Find(const Sensitivity& sensitivity, const std::string& name) {
  for (const LayerSensitivity& layer : sensitivity.layers) {
    if (layer.name == name) return layer;
  }
  throw std::out_of_range("no layer " + name);
}

}  // namespace bitplan
