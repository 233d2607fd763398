#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "bitplan/data.h"
#include "bitplan/format.h"
#include "bitplan/network.h"
#include "bitplan/pass_limits.h"
#include "bitplan/progress.h"
#include "bitplan/quantize.h"
#include "quantize/quantized_weights.h"

namespace bitplan::hessian {

/// What choices are among: for weights and for activations.
struct ChoiceSpace {
  std::vector<int> weight_widths, activation_widths;  ///< ascending, each once
  Format weight_format, activation_format;            ///< `bits` aside

  bool QuantizesActivations() const { return !activation_widths.empty() && activation_widths.front() < 32; }
};

/// What several steps of an analysis stand on, each made once, when it is first asked for.
class Groundwork {
 public:
  /// `network` and `data` must outlive it.
  Groundwork(const Network& network, const Dataset& data, ChoiceSpace choices, const PassLimits& limits,
             ProgressCallback progress)
      : network_(network), data_(data), choices_(std::move(choices)), limits_(limits), progress_(std::move(progress)) {}

  const ChoiceSpace& choices() const { return choices_; }

  /// At all widths. Throws Error where finding the grids takes more memory than there may be.
  const quantize::QuantizedWeights& Weights();

  /// Of all samples.
  const ActivationStatistics& Statistics();

 private:
  const Network& network_;
  const Dataset& data_;
  ChoiceSpace choices_;
  PassLimits limits_;
  ProgressCallback progress_;
  std::optional<quantize::QuantizedWeights> weights_;
  std::optional<ActivationStatistics> statistics_;
};

}  // namespace bitplan::hessian
