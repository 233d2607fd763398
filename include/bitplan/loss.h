#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bitplan/data.h"
#include "bitplan/loss_kind.h"
#include "bitplan/network.h"
#include "bitplan/output_kind.h"

namespace bitplan {

/// What one of several outputs is compared as.
struct JudgedOutput {
  NamedOutput output;
  OutputKind kind = OutputKind::Values;  ///< Classes or Values
  /// Of its loss in the sum of all: of values 1 over their variance in the float network, so that what a loss is 1 of
  /// is an output that tells nothing of the samples; of classes 1.
  double weight = 1;
};

/// A loss, settled for a network and its data. The same in every stage and command: made by ResolveLoss.
struct Criterion {
  Loss loss = Loss::Divergence;              ///< not Auto
  OutputKind outputs = OutputKind::Classes;  ///< what outputs are compared as, whatever the loss
  std::int64_t class_axis = 1;               ///< of classes: axis of the output [N, …], ≥ 1
  double temperature = 1;                    ///< of Divergence, > 0
  bool labelled = false;  ///< the data has a label for every prediction; else its labels are not read
  /// Where labels are ignored (kIgnoredLabel): how many predictions of a sample count, on average over the samples, so
  /// that the mean over samples is that over all predictions that count, and a sample without one adds 0. Else 0.
  double counted = 0;
  std::optional<SampleFunction> module;  ///< that Loss::Module is by
  /// Of OutputKind::Several, in the order in which they stand in the output [N, D]: a sample's loss is the sum of each
  /// one's, by its weight; a module takes them as they are. Else empty.
  std::vector<JudgedOutput> several;
  std::string reason;  ///< in words, why it is this one; empty for the classes of an output [N, C]

  bool ComparesWithLabels() const;  ///< and not with the float network's output
  bool ReadsLabels() const { return labelled || module.has_value(); }

  /// The same outputs under another loss, at temperature 1.
  Criterion With(Loss other) const;

  /// Of one of several outputs alone, without its weight and without labels.
  Criterion OfOutput(std::size_t index) const;

  /// With the labels: Module where there is one, else CrossEntropy, BinaryCrossEntropy or MeanSquaredError, by the kind
  /// of outputs.
  Criterion WithLabels() const;
};

/// The loss that `loss` stands for with a network's output and labels, which may be undefined; the one place where this
/// is decided. With Loss::Auto, by the first of these that holds; shapes are compared without axes of length 1:
///
/// | labels | output | loss |
/// |---|---|---|
/// | integers [N, …] of the output's shape but for one axis of 2 or more | that axis has the classes | CrossEntropy |
/// | integers or floats, all 0 or 1, of the output's shape | one logit each: [N], [N, 1], [N, K], … |
/// BinaryCrossEntropy | | other integers or floats of the output's shape | | MeanSquaredError | | none | one number a
/// sample: [N], [N, 1] | MeanSquaredError | | none | [N, C]; or [N, T, C], neither being 1; or any, where a class axis
/// was asked for | Divergence | | none | any other: [N, 1, T], maps [N, C, H, W] (nothing tells classes from channels)
/// | MeanSquaredError |
///
/// Labels tell the axis of the classes; where several would fit or there are none, it is the last of [N, T, C], else 1.
/// `class_axis` (NetworkOptions) asks for another.
///
/// Another loss than Auto is taken as given, and tells what outputs are compared as where no labels do. Throws Error:
/// labels that do not fit output or loss (a shape, a class beyond the last, numbers where 0 and 1 are needed), a loss
/// of labels without labels, a loss that would be constant (over one class), all labels ignored, an axis that the
/// output does not have, an output that is not floating-point, temperature ≤ 0.
Criterion ResolveLoss(const at::Tensor& output, const at::Tensor& labels, Loss loss, double temperature = 1,
                      std::optional<std::int64_t> class_axis = std::nullopt);

/// The same with the network's output for the first sample and the labels of all. A network with a loss module has
/// Loss::Module by Auto, whatever the labels, which then tell what outputs are only where they fit; it is tried on that
/// sample. Throws Error where there is no module for Loss::Module, and as the module does.
///
/// Of several outputs (NetworkOptions::output) labels are for modules alone: Auto is Divergence, of an output
/// [N, C], C ≥ 2, that of classes, of others and with MeanSquaredError the squared error from the float network,
/// divided by the variance of its output over up to 32 of the samples. Throws Error for losses of labels and a class
/// axis.
Criterion ResolveLoss(const Network& network, const Dataset& data, Loss loss = Loss::Auto, double temperature = 1);

/// What a function of one's own says of each sample, float64 [N], given an output [N, …] of this criterion, or several.
at::Tensor Judge(const SampleFunction& function, const Criterion& criterion, const at::Tensor& output,
                 const at::Tensor& labels);

/// Several outputs [N, …] of an output [N, D], in the order of `Criterion::several`.
std::vector<at::Tensor> Apart(const Criterion& criterion, const at::Tensor& output);

/// Every sample's loss, float64 [N], differentiable, of an output [N, …]. `float_output`, of the same shape, is needed
/// where the criterion does not compare with labels, `labels` where it is labelled. Throws Error when shapes do not
/// fit.
at::Tensor SampleLosses(const Criterion& criterion, const at::Tensor& output, const at::Tensor& float_output,
                        const at::Tensor& labels);

/// Their mean, a float64 scalar.
at::Tensor LossValue(const Criterion& criterion, const at::Tensor& output, const at::Tensor& float_output,
                     const at::Tensor& labels);

/// An output [N, …] as [N, predictions, numbers of each].
at::Tensor ByPrediction(const Criterion& criterion, const at::Tensor& output);

/// What counts of the predictions of an output [N, …], bool [N, predictions]; undefined where all do.
at::Tensor CountedPredictions(const Criterion& criterion, const at::Tensor& output, const at::Tensor& labels);

/// Each prediction's share of its sample's loss, float64 [N, predictions]: one over their number, or over how many
/// count.
at::Tensor PredictionShares(const Criterion& criterion, const at::Tensor& output, const at::Tensor& labels);

/// The class, or 0 and 1 for no and yes, that an output says, int64 [N, predictions]; undefined for values.
at::Tensor Decisions(const Criterion& criterion, const at::Tensor& output);

/// Whether decisions are what the labels say (a yes is a label above ½), bool [N, predictions]; false where a label is
/// ignored. Needs a labelled criterion of classes or yes and no.
at::Tensor RightDecisions(const Criterion& criterion, const at::Tensor& output, const at::Tensor& labels);

}  // namespace bitplan
