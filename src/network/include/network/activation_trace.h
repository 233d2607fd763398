#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "bitplan/network.h"

namespace bitplan::network {

/// What a buffer holds from one writing operator to the next. An operator that works in place makes another version in
/// the same buffer; a view makes none.
struct BufferVersion {
  std::size_t buffer = 0;
  std::int64_t elements = 0;      ///< of the whole buffer
  std::int64_t element_size = 4;  ///< bytes
  /// The first layer that reads it through a site, where nothing reads it but layers at their sites and operators that
  /// commute with rounding to a grid and hand their result on to those: it can be kept at the width of that layer's
  /// input. −1: it stays as it is.
  int layer = -1;
};

/// One executed operator, while it runs: the versions that hold what will still be read, what it reads and what it
/// makes; of a buffer that it writes to in place, both.
struct Moment {
  std::string name;  ///< the layer's, or else the operator's; numbered where it comes again
  std::vector<std::size_t> live;
};

/// Which tensors a run needs when, parameters aside. What operators take for themselves while they run does not count.
struct ActivationTrace {
  std::vector<BufferVersion> versions;
  std::vector<Moment> moments;  ///< in order of execution
};

/// Runs the network once. Storage is told apart as it is in that run, so that views, in-place operators, loops and
/// branches count as they are executed. Inputs count from the start to their last reader.
ActivationTrace TraceActivations(const Network& network, const std::vector<at::Tensor>& inputs);

}  // namespace bitplan::network
