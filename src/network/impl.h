#pragma once

#include <torch/csrc/jit/runtime/interpreter.h>

#include <string>
#include <vector>

#include "bitplan/network.h"
#include "network/layers.h"
#include "network/lowered_graph.h"
#include "network/probe_operator.h"

namespace bitplan {

struct Network::Impl {
  LoweredGraph lowered;  // taps inserted
  LayerMap map;          // its node pointers are into `lowered`
  torch::jit::Code code;
  NetworkOptions options;
  std::string output;  // what remains to be selected of what the graph returns; see NarrowOutput
  at::Device device = at::kCPU;
  std::string sha256, weights_sha256;

  at::Tensor Run(const std::vector<at::Tensor>& inputs, const std::vector<at::Tensor>& parameters,
                 c10::intrusive_ptr<ProbeHandle> probe) const;

  /// What `program` returns: a part of `lowered`, with the same graph inputs and then `more`.
  std::vector<c10::IValue> Run(const torch::jit::Code& program, const std::vector<at::Tensor>& inputs,
                               const std::vector<at::Tensor>& parameters, c10::intrusive_ptr<ProbeHandle> probe,
                               const std::vector<c10::IValue>& more = {}) const;

  /// What calls `probe`, which may be null.
  c10::intrusive_ptr<ProbeHandle> Handle(Probe* probe) const;
};

}  // namespace bitplan
