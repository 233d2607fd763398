#pragma once

#include "bitplan/configuration.h"

/// One width for all weights, one for all inputs; no corrections but the default.
inline bitplan::Plan UniformPlan(const bitplan::Network& network, int weight_bits, int activation_bits) {
  return bitplan::MakeConfiguredPlan(network,
                                     {.weight = bitplan::DefaultWeightFormat().WithBits(weight_bits),
                                      .activation = bitplan::DefaultActivationFormat().WithBits(activation_bits),
                                      .rules = {},
                                      .corrections = {}});
}
