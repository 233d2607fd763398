#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bitplan/network.h"
#include "network/batching.h"
#include "network/layers.h"
#include "network/lowered_graph.h"
#include "network/probe_operator.h"
#include "network/program.h"

namespace bitplan {

struct Network::Impl {
  LoweredGraph lowered;   // taps inserted
  network::LayerMap map;  // its node pointers are into `lowered`
  network::Program program;
  NetworkOptions options;
  std::string output;  // what remains to be selected of what the graph returns; see NarrowOutput
  at::Device device = at::kCPU;
  at::ScalarType arithmetic = at::kFloat;  // of the floating-point tensors that the caller gives; the parameters' type
  std::string source, sha256, weights_sha256;
  std::optional<SampleFunction> loss_module, metric_module;
  std::shared_ptr<const network::Batching> batching;

  at::Tensor Run(const std::vector<at::Tensor>& inputs, const std::vector<at::Tensor>& parameters,
                 c10::intrusive_ptr<network::ProbeHandle> probe) const;

  /// Further graph inputs of each batch.
  using MoreInputs = std::function<std::vector<c10::IValue>(std::size_t batch)>;

  /// What `program`, a part of `lowered` with the same graph inputs and then `more`, returns for each batch.
  std::vector<torch::jit::Stack> Run(const network::Program& program, const network::Batches& batches,
                                     const std::vector<at::Tensor>& inputs, const std::vector<at::Tensor>& parameters,
                                     const c10::intrusive_ptr<network::ProbeHandle>& probe,
                                     const MoreInputs& more = {}) const;

  bool TakesSeveral() const;  // outputs, side by side

  /// The network's output, which stands at `position` among what each batch returned. Throws Error where its first axis
  /// does not count the samples.
  at::Tensor Output(const std::vector<torch::jit::Stack>& results, std::size_t position,
                    const network::Batches& batches) const;

  /// What calls `probe`, which may be null.
  c10::intrusive_ptr<network::ProbeHandle> Handle(Probe* probe) const;
};

}  // namespace bitplan
