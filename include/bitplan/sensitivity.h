#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bitplan/cost_table.h"
#include "bitplan/format.h"
#include "bitplan/layer_shape.h"
#include "bitplan/loss_kind.h"
#include "bitplan/output_kind.h"
#include "bitplan/statistics.h"

namespace bitplan {

/// The figure that stands for the loss a choice costs; all are summed over the sites of a plan.
///
/// The first group needs no more than the quantizer; the second multiplies a squared change by a curvature of the loss
/// in the tensor; the third is what the choice, made alone, does to the network's output (docs/architecture.md, "Loss
/// model"): the mean over the samples, with a standard error.
enum class Measure {
  WeightError,    ///< ‖Δ‖²: no curvature, the plain baseline
  RelativeError,  ///< ‖Δ‖² / ‖W‖², the inverse signal-to-noise ratio: a baseline that many measures fail to beat
  OutputError,    ///< ‖Δy‖² / ‖y‖² of the layer's own output, the inverse SQNR

  Eigenvalue,  ///< λ_max · ‖Δ‖² (HAWQ, Dong et al. 2019)
  Trace,       ///< trace / n · ‖Δ‖² (HAWQ-V2, Dong et al. 2020)
  Fisher,      ///< ½ Σ_i G_ii Δ_i², G the Gauss-Newton matrix in the tensor: the expected squared gradient times the
               ///< squared change

  LogitShift,   ///< ½ ‖P δz‖², P = I − 11ᵀ/C: the change of the centered logits; P = I of outputs that are no classes
  Divergence,   ///< T² · KL(softmax(z / T) ‖ softmax((z + δz) / T)); see Loss::Divergence for yes or no, and for values
  GaussNewton,  ///< ½ δzᵀ(∂²ℓ/∂z²)δz: the divergence and the cross entropy to second order, without labels
  Quadratic,    ///< ∇ℓᵀδz + ½ δzᵀ(∂²ℓ/∂z²)δz; negative where the loss falls: see PredictedCost
  SingleLoss,   ///< ℓ(z + δz) − ℓ(z), of the loss with labels where the data has them; likewise
};

/// Curvature of the loss in one tensor of n elements: a layer's weight, or its input over the samples.
struct Curvature {
  std::int64_t elements = 0;  ///< n
  /// Eigenvalue of the Hessian of the mean loss that is largest in magnitude, by Lanczos.
  std::optional<double> eigenvalue;
  double eigenvalue_residual = 0;     ///< ‖Hv − λv‖ of it
  bool eigenvalue_converged = false;  ///< the residual met the tolerance
  /// Hutchinson estimate of the Hessian's trace.
  std::optional<double> trace;
  double trace_standard_error = 0;
  /// The trace exceeds twice its standard error. One that does not is never taken for zero: see PredictedCost.
  bool trace_significant = false;
};

/// How much a layer's gradients, the rows A of its curvature G = AᵀA / N, differ by the arithmetic that passes compute
/// in, on a first chunk of samples. Both are relative and ≥ 0.
struct ArithmeticDifference {
  double rows = 0;   ///< ‖A − A₃₂‖_F / ‖A₃₂‖_F, A₃₂ those in float32
  double trace = 0;  ///< |t − t₃₂| / t₃₂ of the trace t = ‖A‖²_F
};

/// What one width does to one tensor.
struct Perturbation {
  int bits = 32;
  double squared_error = 0;   ///< ‖Q_b(W) − W‖², or the mean over samples of ‖Q_b(x) − x‖²; the quantizer's own
  double relative_error = 0;  ///< the same over ‖W‖² or the mean ‖x‖²
  /// What the measures that do not follow from these and the curvature say; their standard errors are 0 where they have
  /// none.
  std::map<Measure, Estimate> figures = {};
};

/// A layer's facts (so that later stages need no model) and its sensitivity.
struct LayerSensitivity {
  std::string name;
  std::string op;  ///< conv2d, linear, …
  std::int64_t weight_count = 0;
  std::int64_t macs = 0;         ///< multiply-accumulates for one sample
  std::int64_t input_count = 0;  ///< elements of the input for one sample; 0: the input cannot be quantized
  int tied_group = -1;  ///< layers with the same number read the same tensor, so they share activation bits; −1 none
  std::optional<LayerShape> shape = {};  ///< none: the layer is not run
  Curvature weight, activation;
  /// Of the weight's curvature and Measure::Fisher, where their passes were not in float32.
  std::optional<ArithmeticDifference> difference_from_float32 = {};
  std::vector<Perturbation> weight_choices;      ///< ascending bits
  std::vector<Perturbation> activation_choices;  ///< ascending bits; only 32 when the input cannot be quantized
  std::vector<double> fingerprint = {};  ///< Fingerprint (bitplan/fingerprint.h), passed on to the plan; empty in files
                                         ///< of earlier versions
};

/// What every choice, made alone, adds to the network's output: δz of the loss model. Arrays are row-major. A sample's
/// predictions (positions of a sequence or image) count as samples, those aside whose label is ignored.
struct OutputShifts {
  std::size_t samples = 0, classes = 0;  ///< of outputs that are no classes each number is a sample, with one class
  std::vector<float> logits;             ///< of the float network, [samples, classes]
  /// [choices, samples, classes]: of each layer first its weight_choices, then its activation_choices, without those of
  /// 32 bits. Zero for inputs that an earlier layer's choice quantizes already.
  std::vector<float> shifts;
};

/// What every sample adds to the figures that are means over samples. Row-major. Where labels are ignored, the mean
/// over these samples is that over all of their predictions that count.
struct Contributions {
  std::vector<Measure> measures;  ///< those with shifts of the output behind them that were asked for
  std::size_t choices = 0, samples = 0;
  std::vector<double> values;  ///< [measures, choices, samples]; choices in the order of OutputShifts::shifts
  /// Of each sample how many of its predictions count (≥ 0, some above), where labels are ignored; empty: equally many.
  std::vector<std::int64_t> predictions = {};
};

/// What the figures were computed on.
struct DataSource {
  std::string spec;    ///< KIND:FILE as the user wrote it; empty for data that came from memory
  std::string sha256;  ///< of the file
  std::int64_t samples = 0;
  std::vector<double> mean, std;                  ///< normalization, empty for none
  std::vector<std::int64_t> ignored_labels = {};  ///< as DataOptions has them; absent in files where empty
  std::int64_t context = 0;                       ///< the same; absent in files where 0
  std::int64_t resize = 0, crop = 0;              ///< the same
  std::string interpolation = {};                 ///< of a resize; absent in files where empty

  bool operator==(const DataSource&) const = default;
};

/// A tensor that an operator without a weight reads (Site::Kind::Operand), quantized in every plan.
struct OperandFormat {
  std::string name;  ///< of the site
  Format format;
  std::string layer =
      {};  ///< whose input is the same tensor, and whose format it takes where that is quantized; empty: none
};

/// Result of the analysis, input of the search. File form: `bitplan.sensitivity/1`.
struct Sensitivity {
  std::string tool_version;
  std::string model_sha256;
  std::string weights_sha256 = {};  ///< Network::weights_sha256(); empty in files of earlier versions
  DataSource data;
  std::uint64_t seed = 0;
  Loss loss = Loss::CrossEntropy;            ///< what curvature, quadratic and single-loss are of; not Auto
  std::string loss_module_sha256 = {};       ///< of the file that Loss::Module is by; empty, and absent, of others
  OutputKind outputs = OutputKind::Classes;  ///< what outputs are compared as; key `outputs`, absent for classes
  std::int64_t class_axis = 1;               ///< of classes, in the output [N, …]; key `class_axis`, absent for 1
  double temperature = 1;                    ///< of the divergence
  bool fold_batch_norm = true;
  std::map<std::string, std::string> input_values = {};  ///< as Network::input_values(); absent in files where empty
  bool channel_correction = true;                        ///< passed on to the plan
  Format weight_format;                                  ///< quantizer of the weights, `bits` aside
  Format activation_format;                              ///< quantizer of the activations, `bits` aside
  std::int64_t samples = 0;  ///< that the figures of the output's shifts are means over; below data.samples where a
                             ///< precision was reached before
  std::vector<LayerSensitivity> layers;      ///< in order of execution
  std::vector<OperandFormat> operands = {};  ///< passed on to the plan; absent in files where empty
  std::vector<CostTable> costs =
      {};  ///< beyond those that follow from the layers, each with `layers` in their order; see AddCosts
  std::optional<Contributions> contributions = {};  ///< for resampling
  std::optional<OutputShifts> shifts = {};          ///< for joint problems

  bool Has(Measure measure) const;  ///< whether every layer carries the figures that `measure` needs
};

/// What one tensor's choice is predicted to cost: its figure where the measure has one; else the curvature figure of
/// `measure` times the squared error; 0 at 32 bits.
///
/// Where the loss is curved downwards, or falls on these samples, that is no gain to build a plan on: a layer that the
/// loss hangs on strongly must not be free.
/// - An eigenvalue counts with its magnitude, which bounds what a step can do in either direction, and at least its
///   residual.
/// - A trace beyond twice its standard error counts with its magnitude; one that is not counts as max(trace, 0) plus
///   twice that error. Neither counts less than `floor` per element.
/// - Figures that can be negative, of Quadratic and SingleLoss, count at least their standard error, as shrinking has
///   them; with their magnitude where they have none (one sample). All others are ≥ 0.
double PredictedCost(const Curvature& curvature, const Perturbation& perturbation, Measure measure, double floor);

/// The least curvature that any tensor is given under `measure`: a thousandth of the median over the layers' weights,
/// those whose figure is 0 aside; 1 when all are.
double CurvatureFloor(const Sensitivity& sensitivity, Measure measure);

/// How well the figures of a measure are known: the largest standard error over its figure, or over the mean figure of
/// its width (weights and activations apart) where that is larger, so that layers that hardly matter do not count. 0
/// where there are no standard errors.
double WorstRelativeError(const Sensitivity& sensitivity, Measure measure);

/// Whether a measure judges the output's shift, sample by sample: LogitShift, Divergence, GaussNewton, Quadratic,
/// SingleLoss.
bool IsOfShifts(Measure measure);

/// Whether a joint problem can be made of it: a logit model (LogitShift, Divergence) or a matrix (GaussNewton,
/// Quadratic).
bool CanBeJoint(Measure measure);

/// The same of what was analyzed: shifts tell nothing of a loss module, and are of one output.
bool CanBeJoint(const Sensitivity& sensitivity, Measure measure);

/// Whether a measure is a figure of each choice, and not a curvature times an error.
bool HasFigures(Measure measure);

/// All measures, in the order above.
std::vector<Measure> AllMeasures();

std::string_view ToString(Measure measure);   ///< weight-error, relative-error, output-error, eigenvalue, trace, …
Measure ParseMeasure(std::string_view text);  ///< throws Error listing the names

}  // namespace bitplan
