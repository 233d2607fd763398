#pragma once

#include "bitplan/format.h"

namespace bitplan {

inline Format WeightFormat(int bits, Granularity granularity = Granularity::Tensor,
                           NumberType type = NumberType::Integer) {
  Format format;
  format.bits = bits;
  format.type = type;
  format.granularity = granularity;
  return format;
}

inline Format InputFormat(int bits, Scheme scheme = Scheme::Asymmetric) {
  Format format = DefaultActivationFormat();
  format.bits = bits;
  format.scheme = scheme;
  return format;
}

}  // namespace bitplan
