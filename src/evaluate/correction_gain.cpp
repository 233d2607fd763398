#include <ATen/ATen.h>

#include <algorithm>
#include <array>

#include "bitplan/evaluate.h"
#include "quantize/plan_check.h"

namespace bitplan {

namespace {

/// Mean divergences over all samples of both halves, each measured with what was fitted on the other.
class Means {
 public:
  explicit Means(std::size_t networks) : sums_(networks) {}

  void Add(const std::vector<Evaluation>& measured) {
    for (std::size_t i = 0; i < sums_.size(); ++i)
      sums_[i] += measured[1 + i].divergence * static_cast<double>(measured[1 + i].total);
    total_ += static_cast<double>(measured[0].total);
  }
  double operator[](std::size_t network) const { return sums_[network] / total_; }

 private:
  std::vector<double> sums_;
  double total_ = 0;
};

}  // namespace

std::optional<CorrectionGain> CrossValidateCorrection(const QuantizedNetwork& quantized, const Dataset& calibration,
                                                      const QuantizeOptions& options) {
  const OutputCorrection kind = quantized.plan().corrections.output;
  const std::int64_t samples = std::min(options.correction_samples, calibration.size()), half = samples / 2;
  constexpr std::int64_t kLeast = 4;  // two to fit on and two to measure on
  if (!quantized.plan().corrections.FitsOutputs() || !QuantizesAnything(quantized.plan()) || samples < kLeast)
    return std::nullopt;
  const PassLimits limits(options.batch_size, options.memory_bytes);
  const auto corrected = [&](OutputCorrection correction, const Dataset& fitted_on) {
    return quantized.Corrected(correction, fitted_on, options.memory_bytes);
  };
  const std::array halves = {calibration.First(half), calibration.First(samples).From(half)};
  const QuantizedNetwork uncorrected = corrected(OutputCorrection::None, halves[0]);
  Means means(2);
  for (const std::size_t fold : {0, 1})
    means.Add(Evaluate(quantized.network(), {uncorrected, corrected(kind, halves[fold])}, halves[1 - fold],
                       limits, options.progress));
  if (means[0] == means[1]) return std::nullopt;  // no layer's output can be corrected
  CorrectionGain gain{half, means[0], means[1]};
  if (gain.Gain() > 0 || half / 2 < 2) return gain;
  Means of_fewer(1);
  for (const std::size_t fold : {0, 1})
    of_fewer.Add(Evaluate(quantized.network(), {corrected(kind, halves[fold].First(half / 2))},
                          halves[1 - fold], limits, options.progress));
  gain.corrected_by_half = of_fewer[0];
  return gain;
}

}  // namespace bitplan
