#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <vector>

#include "bitplan/choose.h"
#include "bitplan/loss.h"
#include "network/image_layout.h"

namespace bitplan::choose {

/// Quantizes plans, each with the same calibration, and runs them on the same samples.
class PlanMeter {
 public:
  /// Runs the float network on `samples`. What outputs are compared as is `loss` resolved for these. The problem, made
  /// of the sensitivity, and the network must outlive the meter.
  PlanMeter(const Network& network, const Sensitivity& sensitivity, const Problem& problem, const Dataset& calibration,
            const Dataset& samples, const QuantizeOptions& options, Loss loss);

  /// Outputs of the plan's network, [n, …], of all samples.
  at::Tensor Outputs(const std::vector<std::size_t>& choices) const;
  const at::Tensor& float_outputs() const { return float_outputs_; }

  const Criterion& divergence() const { return divergence_; }  ///< Loss::Divergence of these outputs
  at::Tensor labels() const { return samples_.labels(); }

  /// Each sample's divergence from the float network. Throws Error when one is not finite.
  std::vector<double> Divergences(const std::vector<std::size_t>& choices) const;

 private:
  const Network& network_;
  const Sensitivity& sensitivity_;
  const Problem& problem_;
  Dataset samples_;
  PassLimits limits_;
  Criterion divergence_;
  network::ImageLayout layout_;
  Calibration calibration_;
  at::Tensor float_outputs_;
};

}  // namespace bitplan::choose
