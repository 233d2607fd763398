#pragma once

#include <cstdint>
#include <vector>

#include "bitplan/curvature.h"
#include "bitplan/data.h"
#include "bitplan/format.h"
#include "bitplan/loss.h"
#include "bitplan/network.h"
#include "bitplan/progress.h"
#include "bitplan/sensitivity.h"

namespace bitplan {

struct AnalyzeOptions {
  std::vector<int> weight_bits = {2, 3, 4, 6, 8};  ///< widths to choose from, each 2 … 8, 16 or 32; not empty
  std::vector<int> activation_bits = {32};         ///< likewise
  std::vector<Measure> measures = {Measure::Eigenvalue, Measure::Trace, Measure::WeightError};  ///< figures to compute; not empty
  Format weight_format = DefaultWeightFormat();          ///< `bits` aside
  Format activation_format = DefaultActivationFormat();  ///< `bits` aside
  Loss loss = Loss::Auto;
  std::int64_t curvature_samples = 64;   ///< second derivatives are taken on the first so many samples; ≥ 1
  std::int64_t batch_size = 128;  ///< bounds the memory; ≥ 1
  std::uint64_t seed = 0;
  EigenOptions eigen;  ///< `seed` and `progress` are set from here; of the eigenvalues only the first is used
  TraceOptions trace;  ///< likewise
  ProgressCallback progress;

  void Validate() const;  ///< throws Error
};

/// What Analyze starts from: the layers with their facts and choices, every figure still 0. Costs one run of the network, and
/// is enough to check budgets and pins. Throws Error when no layer can be quantized.
Sensitivity Outline(const Network& network, const Dataset& data, const AnalyzeOptions& options);

/// What every width does to every layer's weight and input, and how much the loss minds. Calibration statistics and
/// curvature come from `data`. Only figures that `measures` need are computed: second derivatives in inputs only where an
/// activation width below 32 is asked for, none at all for Measure::WeightError alone.
///
/// Curvature in inputs is per sample, as their squared errors are, so that both kinds of cost can be added: `elements` of
/// one sample, the trace of the Hessian of a sample's loss, averaged over the samples, and its eigenvalue largest in
/// magnitude over all samples. A layer that the data never reaches keeps 32-bit activations and has no curvature.
///
/// Throws Error when the loss is not finite, no layer can be quantized, or an operator has no second derivative (naming the
/// layer before it).
Sensitivity Analyze(const Network& network, const Dataset& data, const AnalyzeOptions& options);

}  // namespace bitplan
