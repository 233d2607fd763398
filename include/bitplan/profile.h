#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "bitplan/cost_table.h"
#include "bitplan/layer_work.h"
#include "bitplan/network.h"
#include "bitplan/progress.h"
#include "bitplan/sensitivity.h"

namespace bitplan {

// `inputs` are the network's, a batch of one sample: [1, …].

/// What every layer computes and moves for one sample, in the order of Network::layers(). Throws Error as
/// Network::Forward does.
std::vector<LayerWork> WorkOf(const Network& network, const std::vector<at::Tensor>& inputs);

/// The cost `activation_memory_bytes`: the most that activations take at any moment of a run, as tables
/// `activation_memory_bytes@MOMENT`, a moment being the execution of an operator. Only moments that are the peak for
/// some plan have one. A tensor counts from the operator that makes it to the last that reads it, as LibTorch's
/// interpreter keeps it; views share memory with what they are made from, as they do in the run;
/// a batch of one sample; parameters, the operators' own workspace and integer grids' scales do not count. A tensor
/// that nothing but layers reads, through operators that commute with rounding (ReLU, clamping, largest elements,
/// copies), is kept at those layers' input width, packed to whole bytes; any other in float32.
std::vector<CostTable> ActivationMemory(const Network& network, const std::vector<at::Tensor>& inputs,
                                        const std::vector<int>& activation_bits);

/// Gives a sensitivity of the network what is known of its costs without a device: FileSize of its formats,
/// ActivationMemory, and Energy with the default model; at every weight width, and the activation widths that it
/// offers.
void AddNetworkCosts(const Network& network, const std::vector<at::Tensor>& inputs, Sensitivity& sensitivity);

struct LatencyOptions {
  std::int64_t repeats = 30;  ///< of each kernel, ≥ 3
  std::int64_t batch = 1;     ///< samples that a kernel gets at a time, ≥ 1; more is closer to a server's throughput
  ProgressCallback progress;

  void Validate() const;  ///< throws Error
};

/// The cost `latency_ms` for one sample, measured here: every layer's operator, alone, at its real shape, with
/// LibTorch's float kernel (w32a32) and its 8-bit one (w8a8), the median of the repeats. All other widths are
/// estimates, and `measured` of the table says which are not: widths of at most 8 bits take the 8-bit kernel's time
/// times the wider one's share of 8 bits, as with vectors or multipliers that narrow as the numbers do; pairs with a
/// wider one the float kernel's. A layer without an 8-bit kernel takes the float time at any width, and one that cannot
/// be run alone (embedding, LSTM) its MACs' share of the other layers' float time. Throws Error: a network that is not
/// on the CPU, or of which no layer can be timed.
CostTable MeasureLatency(const Network& network, const std::vector<at::Tensor>& inputs,
                         const std::vector<int>& weight_bits, const std::vector<int>& activation_bits,
                         const LatencyOptions& options = {});

}  // namespace bitplan
