#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "bitplan/network.h"
#include "network/batching.h"

namespace bitplan::network {

/// Runs a network from one of its layers onward, as often as is asked for, on inputs that it has seen once: the layer's
/// weight, its input or its output may be changed every time, what comes before them is kept.
///
/// A tail begins where the first operator of a layer, at the top level of the graph, reads its weight, bias or input.
/// What is kept is, for every layer, the tensors that were computed before that point and are read after it; a tensor
/// is kept once, for however many layers, unless something writes to it.
class Tails {
 public:
  /// Compiles one graph a layer.
  explicit Tails(const Network& network);

  /// What the tails start from, for some inputs.
  class Prefix {
   public:
    const at::Tensor& output() const { return output_; }  ///< of the whole network

   private:
    friend class Tails;
    std::vector<at::Tensor> inputs_;
    Batches batches_;
    std::vector<std::vector<c10::IValue>> kept_;  // of each batch
    at::Tensor output_;
  };

  /// Runs the network on `inputs` with its own parameters. Throws Error as Network::Forward does.
  Prefix Run(const std::vector<at::Tensor>& inputs) const;

  /// Of some layers the one whose tail begins first.
  int Earliest(const std::vector<int>& layers) const;

  /// Output of the network, with these values for the parameters and, unless null, a probe; neither may change anything
  /// before the layer's tail begins. The probe is called at the sites of the tail alone.
  at::Tensor Run(const Prefix& prefix, int layer, const std::vector<at::Tensor>& parameters,
                 Probe* probe = nullptr) const;

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

}  // namespace bitplan::network
