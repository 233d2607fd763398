#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "bitplan/data.h"
#include "bitplan/format.h"
#include "bitplan/network.h"
#include "bitplan/progress.h"
#include "bitplan/quantize.h"
#include "quantize/corrections/channel_correction.h"
#include "quantize/quantized_network.h"
#include "quantize/quantized_weights.h"

namespace bitplan::quantize {

/// One width for one layer's weight, or for all that some layers read, in a network that is float otherwise.
struct SingleChoice {
  std::vector<int> layers;  ///< one for a weight; for inputs, the layers that read the same tensors
  bool activation = false;
  Format format;
};

struct SingleChoicesOptions {
  PassLimits limits;  ///< of what is held, the weights of the choices are a part
  bool channel_correction = true;
  ProgressCallback progress;
  std::optional<ActivationStatistics> statistics = {};  ///< of the calibration data, where they are there already
};

/// Some choices, each made alone, with the quantizer that is later applied: weights on their grids, ranges of inputs,
/// and the channel correction of the layers concerned, all from streamed passes of the float network over the
/// calibration data.
class SingleChoices {
 public:
  /// `weights`: the network's, at the widths that choices give them.
  static SingleChoices Fit(const Network& network, const QuantizedWeights& weights, std::vector<SingleChoice> choices,
                           const Dataset& calibration, const SingleChoicesOptions& options);

  std::size_t size() const { return choices_.size(); }
  const SingleChoice& operator[](std::size_t i) const { return choices_[i]; }

  /// The network with one of the choices made.
  QuantizedState State(std::size_t i) const;

  /// mean ‖Δy‖² / mean ‖y‖² of the outputs of the layers concerned, before the correction, summed over the layers (the
  /// inverse of SQNR); nothing where an output is not the plain product.
  std::optional<double> OutputError(std::size_t i) const { return output_errors_[i]; }

  std::int64_t bytes() const { return kept_bytes_; }  ///< of the weights that are kept

 private:
  class Fitter;
  SingleChoices(Network network, QuantizedWeights quantized)
      : network_(std::move(network)), quantized_(std::move(quantized)) {}

  void KeepWeights(std::int64_t most_bytes);
  QuantizedTensor Weight(std::size_t i) const;  // of a choice of a weight

  Network network_;
  QuantizedWeights quantized_;
  std::vector<SingleChoice> choices_;
  std::vector<QuantizedTensor> weights_;  // of each choice of a weight; empty where they are put on their grids anew
  std::int64_t kept_bytes_ = 0;
  std::vector<std::map<int, QuantizedInput>> inputs_;  // of each choice
  std::vector<std::map<int, ChannelCorrection>> corrections_;
  std::vector<std::optional<double>> output_errors_;
};

}  // namespace bitplan::quantize
