#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "bitplan/network.h"
#include "network/batching.h"

namespace bitplan::network {

/// Runs a network piece by piece: what comes before a point is computed once, for whatever is tried after it.
///
/// A segment begins where a layer reads its input, at the top level of the graph, and nothing that is known there is
/// written to later. A use of a layer, from its input to its output, lies in one segment.
class Segments {
 public:
  /// Compiles one graph a segment.
  explicit Segments(const Network& network);

  std::size_t count() const;

  /// What a run over some inputs knows where a segment begins.
  class State {
   public:
    std::size_t segment() const { return segment_; }  ///< count(): at the end

    /// What its tensors, the inputs aside, take where they are put by MoveTo.
    std::int64_t Bytes() const;

    /// Puts copies of its tensors in their place, in `memory`: bytes on the network's device, from `begin` on. So what
    /// is kept for long leaves no holes between what comes and goes. Returns where they end.
    std::int64_t MoveTo(const at::Tensor& memory, std::int64_t begin);

   private:
    friend class Segments;
    std::size_t segment_ = 0;
    std::vector<at::Tensor> inputs_;
    Batches batches_;
    std::vector<std::vector<c10::IValue>> values_;  // of each batch
  };

  /// Where the first segment begins. Throws Error as Network::Forward does.
  State Start(const std::vector<at::Tensor>& inputs) const;

  /// From `state` to where segment `end`, not before the state's own, begins, with these values for the parameters and
  /// a probe, which is called at the sites on the way. Throws as Network::Forward does, and what the probe throws.
  State Run(const State& state, std::size_t end, const std::vector<at::Tensor>& parameters, Probe& probe) const;

  /// What the network gives, of a state at the end.
  at::Tensor Output(const State& state) const;

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

}  // namespace bitplan::network
