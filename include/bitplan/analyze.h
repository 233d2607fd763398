#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

#include "bitplan/curvature.h"
#include "bitplan/data.h"
#include "bitplan/format.h"
#include "bitplan/gauss_newton.h"
#include "bitplan/loss.h"
#include "bitplan/network.h"
#include "bitplan/progress.h"
#include "bitplan/sensitivity.h"

namespace bitplan {

/// How the shift of the output that a choice causes is found.
enum class Delta {
  Linear,    ///< to first order: one backward pass for every element of a sample's output serves all choices
  Measured,  ///< exactly, by a partial forward pass for each choice
  Auto,      ///< linear where a sample has at most 16 outputs, for weights above 3 bits; else measured
};

std::string_view ToString(Delta delta);   ///< linear, measured, auto
Delta ParseDelta(std::string_view text);  ///< throws Error listing the names

struct AnalyzeOptions {
  std::vector<int> weight_bits = {2, 3, 4, 6, 8};  ///< widths to choose from, each 1 … 8, 16 or 32; not empty
  std::vector<int> activation_bits = {32};         ///< likewise
  /// Figures to compute, not empty. The default ones come from the same passes; those of curvature cost more.
  std::vector<Measure> measures = {Measure::LogitShift, Measure::Divergence, Measure::GaussNewton,
                                   Measure::Quadratic,  Measure::SingleLoss, Measure::OutputError};
  Format weight_format = DefaultWeightFormat();          ///< `bits` aside
  Format activation_format = DefaultActivationFormat();  ///< `bits` aside
  bool channel_correction = true;            ///< of the quantizer whose shifts are measured; should be the plan's
  bool keep_shifts = false;                  ///< Sensitivity::shifts, which joint problems are made of
  std::vector<OperandFormat> operands = {};  ///< passed on to the plan; no figure depends on them
  Delta delta = Delta::Measured;
  Loss loss = Loss::Auto;  ///< what curvature, GaussNewton, Quadratic and SingleLoss are of
  double temperature = 1;  ///< of Divergence, > 0
  /// Samples are taken until every figure of the first of `measures` is known to this: see WorstRelativeError. In [0,
  /// 1); 0: all of the data.
  double precision = 0;
  bool exact_hessian =
      false;  ///< eigenvalues and traces of weights from the Hessian instead of the Gauss-Newton matrix
  std::int64_t curvature_samples =
      64;  ///< second derivatives (exact Hessians, and curvature in inputs) are taken on the first so many samples; ≥ 1
  /// What the passes of the Gauss-Newton matrix compute in. What bfloat16 changes is part of the traces' standard
  /// errors.
  Arithmetic compute = Arithmetic::Float32;
  /// What may be held at a time on top of the network and the data, > 0: see PassLimits. Weights' grids and what the
  /// figures are of are not counted (a few bytes for each sample and choice, and all shifts that are to be kept).
  std::int64_t memory_bytes = std::int64_t{2} << 30;
  std::int64_t batch_size = 128;  ///< samples a pass at the most; ≥ 1
  std::uint64_t seed = 0;
  EigenLimits eigen;  ///< of Measure::Eigenvalue
  TraceLimits trace;  ///< of Measure::Trace where it is estimated: of inputs, and of weights with `exact_hessian`
  /// A file that keeps what is finished while the analysis runs. Found there, from an analysis with the same inputs and
  /// options that was broken off, it is gone on from, to the same bytes. The caller removes it once the result is safe.
  /// Empty: none.
  std::filesystem::path checkpoint;
  ProgressCallback progress;

  void Validate() const;  ///< throws Error
};

/// What Analyze starts from: the layers with their facts and choices, every figure still 0. Costs one run of the
/// network, and is enough to check budgets and pins. Throws Error when no layer can be quantized.
Sensitivity Outline(const Network& network, const Dataset& data, const AnalyzeOptions& options);

/// What every width does to every layer's weight and input, and how much the loss minds. Only figures that `measures`
/// need are computed. Inputs that several layers read are quantized for all of them at once; what that does is the
/// first layer's figure, the others' is 0.
///
/// Curvature in weights is that of the Gauss-Newton matrix over all samples, unless `exact_hessian`. Curvature in
/// inputs is the exact Hessian's, per sample, as their squared errors are, so that both kinds of cost can be added:
/// `elements` of one sample, the trace of the Hessian of a sample's loss, averaged over the samples, and its eigenvalue
/// largest in magnitude over all samples; it is computed only where Measure::Eigenvalue or Trace and an activation
/// width below 32 are asked for. Measure::Fisher of both kinds comes from backward passes of the loss's rows, over all
/// samples. A layer that the data never reaches keeps 32-bit activations and has no curvature.
///
/// Throws Error when the loss is not finite, no layer can be quantized, or an operator has no second derivative (naming
/// the layer before it), the checkpoint is of another analysis (naming what differs) or cannot be written.
Sensitivity Analyze(const Network& network, const Dataset& data, const AnalyzeOptions& options);

}  // namespace bitplan
