#include <ATen/ATen.h>
#include <fmt/format.h>

#include <string>
#include <utility>

#include "bitplan/error.h"
#include "bitplan/loss.h"
#include "label_fit.h"
#include "loss/compare_outputs.h"
#include "several_outputs.h"

namespace bitplan {

namespace {

using loss::LabelFit;
using loss::LabelForm;

class Resolver {
 public:
  Resolver(const at::Tensor& output, const at::Tensor& labels, std::optional<std::int64_t> class_axis)
      : fit_(output, labels, class_axis), form_(fit_.form()) {}

  Criterion Resolve(Loss loss) const {
    Criterion criterion = loss == Loss::Auto ? Default() : AsGiven(loss);
    CountLabels(criterion);
    return criterion;
  }

  /// As Resolve by Auto where labels fit, else what outputs are without them.
  Criterion WhateverTheLabels() const {
    try {
      return Resolve(Loss::Auto);
    } catch (const Error&) {  // labels for a module alone
      return Unlabelled();
    }
  }

  /// Labels are asked for what outputs are alone, not for what is right.
  Criterion Unjudged() const {
    Criterion criterion = KindOfOutputs();
    criterion.loss = Loss::Divergence;
    if (form_ == LabelForm::None || form_ == LabelForm::Unfitting) return criterion;
    const std::int64_t counted = fit_.Counted();
    if (counted > 0 && counted < fit_.LabelCount()) criterion.counted = fit_.CountedASample();
    return criterion;
  }

 private:
  Criterion KindOfOutputs() const {
    switch (form_) {
      case LabelForm::Classes:
        return OfClasses(Loss::Divergence, false);
      case LabelForm::ZeroOne:
        return Of(Loss::Divergence, OutputKind::Binary, false, "");
      case LabelForm::Numbers:
        return Of(Loss::Divergence, OutputKind::Values, false, "");
      case LabelForm::None:
      case LabelForm::Unfitting:
        break;
    }
    return Unlabelled();
  }

  Criterion Default() const {
    switch (form_) {
      case LabelForm::Classes:
        return OfClasses(Loss::CrossEntropy, true);
      case LabelForm::ZeroOne:
        return Of(Loss::BinaryCrossEntropy, OutputKind::Binary, true,
                  fmt::format("the labels are 0 and 1, one for each number of the output {}", fit_.OutputShape()));
      case LabelForm::Numbers:
        return Of(Loss::MeanSquaredError, OutputKind::Values, true,
                  fmt::format("the labels are numbers, one for each of the output {}", fit_.OutputShape()));
      case LabelForm::Unfitting:
        throw Error(fit_.Misfit());
      case LabelForm::None:
        break;
    }
    return Unlabelled();
  }

  /// Without labels only the output's shape tells what it is.
  Criterion Unlabelled() const {
    const std::string shape = fit_.OutputShape();
    const auto values = [&](const std::string& why) {
      return Of(Loss::MeanSquaredError, OutputKind::Values, false, why);
    };
    if (fit_.axis_was_asked_for()) return OfClasses(Loss::Divergence, false);
    if (fit_.HasOneNumberASample())
      return values(fmt::format("the data has no labels, and the network has one output a sample, {}", shape));
    if (fit_.output().dim() > 3)
      return values(fmt::format("the data has no labels, and the output {} is a map", shape));
    if (fit_.output().dim() == 3 && (fit_.output().size(1) == 1 || fit_.output().size(2) == 1))
      return values(fmt::format("the data has no labels, and the output {} has one channel", shape));
    return OfClasses(Loss::Divergence, false);
  }

  Criterion AsGiven(Loss loss) const {
    switch (loss) {
      case Loss::CrossEntropy:
        if (form_ == LabelForm::None)
          throw Error("the loss is cross-entropy, but the data has no labels; divergence needs none");
        RequireClasses(loss);
        if (form_ != LabelForm::Classes) throw Error(fit_.Misfit());
        return OfClasses(loss, true);
      case Loss::Divergence:
        if (form_ == LabelForm::ZeroOne) return Of(loss, OutputKind::Binary, true, kAskedFor);
        RequireClasses(loss);
        return OfClasses(loss, form_ == LabelForm::Classes);
      case Loss::BinaryCrossEntropy:
        fit_.CheckBinary();
        return Of(loss, OutputKind::Binary, form_ != LabelForm::None, kAskedFor);
      case Loss::MeanSquaredError:
        if (form_ == LabelForm::Classes) return OfClasses(loss, true);
        return Of(loss, OutputKind::Values, form_ == LabelForm::ZeroOne || form_ == LabelForm::Numbers, kAskedFor);
      case Loss::Module:
        throw Error("the loss is module, and there is none: give the model file of a loss (--loss-module)");
      case Loss::Auto:
      case Loss::LogitShift:
        break;
    }
    const bool unlabelled = form_ == LabelForm::None || form_ == LabelForm::Unfitting;
    if (unlabelled && !fit_.HasOneNumberASample()) return OfClasses(loss, false);  // asked for, as divergence is
    Criterion criterion = form_ == LabelForm::Unfitting ? Unlabelled() : Default();
    criterion.loss = loss;
    return criterion;
  }

  Criterion Of(Loss loss, OutputKind outputs, bool labelled, std::string reason) const {
    Criterion criterion;
    criterion.loss = loss;
    criterion.outputs = outputs;
    criterion.labelled = labelled;
    criterion.reason = std::move(reason);
    return criterion;
  }

  Criterion OfClasses(Loss loss, bool labelled) const {
    const std::int64_t axis = fit_.ClassAxis();
    if (labelled) fit_.CheckClassNumbers(fit_.output().size(axis));
    Criterion criterion = Of(loss, OutputKind::Classes, labelled, "");
    criterion.class_axis = axis;
    if (fit_.output().dim() > 2)
      criterion.reason =
          fmt::format("the classes are along axis {} of the output {}{}", axis, fit_.OutputShape(), fit_.OtherAxes());
    return criterion;
  }

  void RequireClasses(Loss loss) const {
    if (!fit_.HasOneNumberASample()) return;
    throw Error(
        fmt::format("the loss {} is over one class, hence constant: the network has one output a sample, {}; "
                    "binary-cross-entropy and mean-squared-error are for such",
                    ToString(loss), fit_.OutputShape()));
  }

  void CountLabels(Criterion& criterion) const {
    if (!criterion.labelled) return;
    const std::int64_t counted = fit_.Counted();
    if (counted == fit_.LabelCount()) return;
    if (counted == 0) throw Error("every label of the data is ignored: nothing is left to compare outputs at");
    criterion.counted = fit_.CountedASample();
  }

  static constexpr const char* kAskedFor = "it was asked for";

  const LabelFit fit_;
  const LabelForm form_;
};

}  // namespace

Criterion ResolveLoss(const at::Tensor& output, const at::Tensor& labels, Loss loss, double temperature,
                      std::optional<std::int64_t> class_axis) {
  if (!(temperature > 0)) throw Error(fmt::format("temperature {} given, must be above 0", temperature));
  const at::NoGradGuard no_gradient;
  Criterion criterion = Resolver(output, labels, class_axis).Resolve(loss);
  criterion.temperature = temperature;
  return criterion;
}

}  // namespace bitplan

namespace bitplan::loss {

Criterion ToCompareOutputs(const Network& network, const Dataset& data) {
  const at::NoGradGuard no_gradient;
  const Batch first = data.Get(0, 1, at::Device(network.device()));
  if (const auto outputs = network.Outputs(first.inputs); !outputs.empty())
    return OfSeveral(network, data, outputs, Loss::Divergence);
  return Resolver(network.Forward(first.inputs), data.labels(), network.class_axis()).Unjudged();
}

}  // namespace bitplan::loss

namespace bitplan {

Criterion ResolveLoss(const Network& network, const Dataset& data, Loss loss, double temperature) {
  const at::NoGradGuard no_gradient;
  const Batch first = data.Get(0, 1, at::Device(network.device()));
  const bool by_module = network.loss_module() && (loss == Loss::Auto || loss == Loss::Module);
  const at::Tensor output = network.Forward(first.inputs);
  Criterion criterion;
  if (const auto outputs = network.Outputs(first.inputs); !outputs.empty()) {
    criterion = loss::OfSeveral(network, data, outputs, by_module ? Loss::Divergence : loss);
    if (by_module) criterion = loss::By(*network.loss_module(), std::move(criterion));
  } else if (by_module) {
    criterion =
        loss::By(*network.loss_module(), Resolver(output, data.labels(), network.class_axis()).WhateverTheLabels());
  } else {
    return ResolveLoss(output, data.labels(), loss, temperature, network.class_axis());
  }
  if (by_module) Judge(*criterion.module, criterion, output, first.labels);  // refuses them now, if at all
  criterion.temperature = temperature;
  return criterion;
}

}  // namespace bitplan
