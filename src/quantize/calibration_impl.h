#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "bitplan/quantize.h"
#include "quantize/corrections/channel_moments.h"
#include "quantize/quantized_network.h"

namespace bitplan {

/// What calibration data say, and what is fitted on them.
struct Calibration::Impl {
  std::optional<ActivationStatistics> activations;
  std::vector<at::Tensor> inputs;  ///< what corrections are fitted on
  std::int64_t memory_bytes = QuantizeOptions().memory_bytes;
  ProgressCallback progress;

  /// Takes the first samples as inputs, in the layout that the network is fastest on, a few at a time, so that nothing
  /// is held twice. Throws MemoryShort where they do not fit `memory_bytes`.
  void TakeInputs(const Network& network, const Dataset& data, std::int64_t samples);

  /// Samples in a pass of the float network over the inputs.
  std::int64_t SamplesAPass(const Network& network) const;

  /// The output correction and the rounding of `plan`.
  void FitOutputs(const Network& network, const Plan& plan, QuantizedState& state) const;

 private:
  /// Of the float network on the inputs; found when a plan first needs them.
  const std::map<int, quantize::ChannelMoments>& Moments(const Network& network) const;

  /// How corrections and roundings are fitted within the memory limit.
  struct Fit {
    std::int64_t a_pass = 1;        // samples
    std::int64_t for_rounding = 1;  // bytes, beside those of a pass
    std::int64_t kept = 0;          // bytes, beside both: FittingSamples::kept_bytes
  };
  Fit FitWithin(const Network& network, const Plan& plan, const std::map<int, quantize::ChannelMoments>& wanted,
                const QuantizedState& state) const;
  std::int64_t Samples() const { return inputs.front().size(0); }

  mutable std::once_flag found_;
  mutable std::map<int, quantize::ChannelMoments> moments_;
};

}  // namespace bitplan
