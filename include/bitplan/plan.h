#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bitplan/corrections.h"
#include "bitplan/cost.h"
#include "bitplan/format.h"
#include "bitplan/output_kind.h"
#include "bitplan/pareto.h"
#include "bitplan/problem.h"
#include "bitplan/robustness.h"
#include "bitplan/search.h"
#include "bitplan/sensitivity.h"
#include "bitplan/stability.h"

namespace bitplan {

/// A weight's grid as training left it, in place of one that a calibrator finds. One entry a scale: of the whole
/// tensor, a channel, or a group of one, in order.
struct LearnedGrid {
  std::vector<double> scales;             ///< > 0
  std::vector<std::int64_t> zero_points;  ///< of asymmetric integers; empty otherwise
  std::vector<double> thresholds;         ///< of ternary values: magnitudes up to it are 0; empty otherwise
  std::vector<double> negative_scales;    ///< of ternary values whose −1 has a scale of its own (TTQ); empty otherwise

  bool operator==(const LearnedGrid&) const = default;
};

/// What one layer gets.
struct LayerPlan {
  std::string name;
  Format weight;                                   ///< of the layer's weight
  Format activation;                               ///< of the layer's input; 32 bits leave it in float
  std::optional<LearnedGrid> learned_weight = {};  ///< keys `learned_…` are absent where these are
  std::optional<ActivationRange> learned_input = {};
  std::vector<double> fingerprint = {};  ///< Fingerprint (bitplan/fingerprint.h); empty in files of earlier versions
};

/// What a tensor gets that an operator without a weight reads.
struct OperandPlan {
  std::string name;  ///< of a site of Site::Kind::Operand: add_2.0
  Format format;     ///< with the rules of activations, below 32 bits
  std::optional<ActivationRange> learned = {};
};

/// How good the plan is proven to be, under the model that predicted its loss. NaN (null in files) where no search
/// found it.
struct Certificate {
  std::string
      method;  ///< the name of the search; of plans without one how they were made: uniform, configuration, target
  SolutionStatus status = SolutionStatus::Feasible;
  double objective = 0, bound = 0, gap = 0;
};

/// A metric of one's own (NetworkOptions::metric_module): its mean over the samples.
struct EvaluationMetric {
  std::string name;  ///< of the module's file
  double value = 0;
};

/// Accuracy and loss of one network on one data set. `correct`, `accuracy` and `loss` need labels; without them they
/// are −1 and NaN (null in files), and `agreement` and `divergence` still say how far the network is from the float
/// one. Outputs that are values are neither right nor equal: there `correct` is −1, `accuracy` and `agreement` NaN.
struct Evaluation {
  std::int64_t correct = -1, total = 0;  ///< of predictions (OutputKind), without those whose label is ignored
  double accuracy = 0;                   ///< correct / total
  double loss = 0;  ///< mean cross entropy or binary cross entropy, in nats; of values mean squared error; of a loss
                    ///< module its mean over the samples
  double agreement = 0;   ///< share of predictions equal to the float network's
  double divergence = 0;  ///< mean KL(float ‖ this), in nats; of values mean squared error to the float network
  OutputKind outputs = OutputKind::Classes;     ///< what outputs were compared as; key `outputs`, absent for classes
  std::string loss_module = {};                 ///< name of the module that `loss` is by; empty, and absent: none
  std::optional<EvaluationMetric> metric = {};  ///< absent without a metric module
  /// exp(loss), of sequences of classes (labels [n, T]) by cross entropy; absent else.
  std::optional<double> perplexity = {};
};

/// What the output correction of a plan gains on samples that it was not fitted on: fitted on each half of the
/// calibration samples and measured on the other. Divergences are means in nats, as Evaluation::divergence.
struct CorrectionGain {
  std::int64_t samples = 0;  ///< that each fit saw: half of the calibration samples
  double uncorrected = 0;    ///< divergence without the correction
  double corrected = 0;      ///< with it
  /// With the correction fitted on half as many samples; measured only where nothing is gained, and there are enough.
  std::optional<double> corrected_by_half = {};

  double Gain() const { return uncorrected - corrected; }

  /// How many calibration samples the correction is expected to need before it gains anything. What a fit on n samples
  /// loses against one on all there could be falls as 1/n, so the two fits tell that loss and what remains of it. 0: no
  /// number of samples is enough, as far as these tell; nothing where they do not tell.
  std::optional<std::int64_t> SamplesNeeded() const;
};

/// Evaluations side by side. File form: `bitplan.evaluation/1`.
struct EvaluationReport {
  std::string model_sha256, data_sha256;
  Evaluation float_network;                            ///< key `float`
  std::optional<Evaluation> planned;                   ///< key `planned`
  std::string planned_widths = {};                     ///< of `planned`, as WidthsOf says; empty: not known, no key
  std::optional<CorrectionGain> correction_gain = {};  ///< of `planned`, key `correction_gain`; none: not measured
  std::optional<Evaluation> uniform;                   ///< key `uniform`
  std::optional<LayerBits> uniform_bits;               ///< widths of `uniform`, key `uniform_bits`
  std::map<std::string, std::string> matched_by_value = {};  ///< AdaptedPlan::by_value; empty: no key
};

/// A decision: how many bits every layer's weight and input get. File form: `bitplan.plan/1`.
struct Plan {
  std::string tool_version, model_sha256;
  std::string weights_sha256 = {};  ///< Network::weights_sha256(), by which a plan knows its model; empty in files of
                                    ///< earlier versions, whose model_sha256 counts
  DataSource data;                  ///< what the sensitivity was measured on
  std::uint64_t seed = 0;
  bool fold_batch_norm = true;
  std::map<std::string, std::string> input_values = {};  ///< as Network::input_values(); absent in files where empty
  Corrections corrections;
  std::string measure;
  std::vector<LayerPlan> layers;  ///< in order of execution
  std::vector<OperandPlan> operands =
      {};  ///< needs a network with NetworkOptions::operand_sites; key `operands`, absent where empty
  double predicted_loss = 0;  ///< in the measure's own unit; NaN (null in files) for a plan that no search found
  std::optional<Evaluation> measured;
  std::map<std::string, double> costs, budgets;
  Certificate certificate;
  std::optional<Stability> stability = {};  ///< under other samples
};

/// The plan that `solution` stands for. Throws Error when the solution has no choices (it is infeasible).
Plan MakePlan(const Sensitivity& sensitivity, const Problem& problem, const Solution& solution, Measure measure);

/// The head of a plan that no search made: nothing is predicted, nothing proven. `method`: of the certificate.
Plan PlanWithoutSearch(const std::string& measure, const std::string& method);

/// The widths of a plan's weights and layer inputs, the least and the widest where they differ: w8a32, w2-8a8-32; with
/// the number types in brackets where there are other ones than integers and float32: w4a32 (nf4).
std::string WidthsOf(const Plan& plan);

/// One width for all layers of the sensitivity file (a width of 32 leaves weights or inputs in float).
Plan MakeUniformPlan(const Sensitivity& sensitivity, int weight_bits, int activation_bits);

// Files. Reading throws Error naming file, key and what was expected: not readable, not JSON, unknown schema or
// version, missing or unknown keys, wrong types, values out of range. ToJson gives what WriteFile (bitplan/files.h)
// writes: same value, same bytes.
Sensitivity ReadSensitivity(const std::filesystem::path& file);
Problem ReadProblem(const std::filesystem::path& file);
Plan ReadPlan(const std::filesystem::path& file);

std::vector<CostTable> ReadCosts(const std::filesystem::path& file);  ///< `bitplan.costs/1`

/// A table of lines LAYER,WEIGHT_BITS,ACTIVATION_BITS,VALUE under the header layer,weight_bits,activation_bits,COST;
/// the same pairs of widths for every layer. Cells may be quoted as ToCsv (bitplan/plot.h) does: "a,b", "say ""x""".
CostTable ReadCostCsv(const std::filesystem::path& file);

/// A NumPy array [layers, weight bits − 1, activation bits − 1], its layers in the order of `layers`: the form in which
/// HAQ (Wang et al., CVPR 2019) keeps a device's latency.
CostTable ReadCostArray(const std::filesystem::path& file, const std::string& cost,
                        const std::vector<std::string>& layers);

std::string ToJson(const std::vector<CostTable>& tables);
std::string ToJson(const Sensitivity& sensitivity);  ///< without the shifts
std::string ToJson(const Problem& problem);
std::string ToJson(const Plan& plan);
/// Writes `sensitivity` with its shifts as .npy files beside `file`: for s.json s.logits.npy and s.shifts.npy.
void WriteSensitivity(const std::filesystem::path& file, const Sensitivity& sensitivity);

/// Writes `problem` with the arrays of its joint term as .npy files beside `file`: for p.json p.matrix.npy,
/// p.logits.npy, p.shifts.npy. ToJson has them as nested lists.
void WriteProblem(const std::filesystem::path& file, const Problem& problem);
std::string ToJson(const EvaluationReport& report);
std::string ToJson(const Problem& problem,
                   const Solution& solution);  ///< `bitplan.solution/1`, with `choices` by group name
std::string ToJson(const Problem& problem, const Solution& solution,
                   const Robustness& robustness);                      ///< the same with `robustness`
std::string ToJson(const Problem& problem, const ParetoFront& front);  ///< `bitplan.front/1`

}  // namespace bitplan
