#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <vector>

#include "bitplan/error.h"
#include "bitplan/loss.h"
#include "loss/compare_outputs.h"
#include "loss/predictions.h"
#include "shape_text.h"

namespace bitplan {

namespace {

/// What the labels say about the output.
enum class LabelForm {
  None,      ///< there are none
  Classes,   ///< one class number a prediction
  ZeroOne,   ///< one for each number of the output, all of them 0 or 1
  Numbers,   ///< one for each number of the output
  Unfitting  ///< of no shape that goes with the output's
};

/// Axes after that of the samples, without those of length 1.
std::vector<std::int64_t> Squeezed(at::IntArrayRef sizes) {
  std::vector<std::int64_t> squeezed;
  for (const std::int64_t size : sizes.slice(1))
    if (size != 1) squeezed.push_back(size);
  return squeezed;
}

/// "[N, 3, 8, 8]"
std::string SampleShape(at::IntArrayRef sizes) {
  std::string text = "[N";
  for (const std::int64_t size : sizes.slice(1)) text += fmt::format(", {}", size);
  return text + "]";
}

class Resolver {
 public:
  Resolver(const at::Tensor& output, const at::Tensor& labels, std::optional<std::int64_t> class_axis)
      : output_(output), labels_(labels), asked_axis_(class_axis.has_value()) {
    if (!output.is_floating_point())
      throw Error(fmt::format("the network's output is {}, expected floating-point numbers [N, …]",
                              c10::toString(output.scalar_type())));
    if (output.dim() == 0) throw Error("the network's output is a single number, expected [N, …], a row a sample");
    if (asked_axis_) axes_ = {Wrapped(*class_axis)};
    // Where several fit: the last of [N, T, C], else the first after the samples.
    for (std::int64_t axis = 1; axis < output.dim() && !asked_axis_; ++axis) axes_.push_back(axis);
    if (output.dim() == 3 && !asked_axis_) std::swap(axes_[0], axes_[1]);
    form_ = FormOfLabels();
  }

  Criterion Resolve(Loss loss) const {
    Criterion criterion = loss == Loss::Auto ? Default() : AsGiven(loss);
    CountLabels(criterion);
    return criterion;
  }

  /// Labels are asked for what outputs are alone, not for what is right.
  Criterion Unjudged() const {
    Criterion criterion = KindOfOutputs();
    criterion.loss = Loss::Divergence;
    if (form_ == LabelForm::None || form_ == LabelForm::Unfitting) return criterion;
    const std::int64_t counted = loss::CountedLabels(labels_).sum().item<std::int64_t>();
    if (counted > 0 && counted < labels_.numel())
      criterion.counted = static_cast<double>(counted) / static_cast<double>(labels_.size(0));
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

  std::int64_t Wrapped(std::int64_t axis) const {
    const std::int64_t wrapped = axis < 0 ? axis + output_.dim() : axis;
    if (wrapped < 1 || wrapped >= output_.dim())
      throw Error(fmt::format("class axis {}: the network's output {} has {}", axis, SampleShape(output_.sizes()),
                              output_.dim() < 2 ? "no axis but that of the samples"
                                                : fmt::format("the axes 1 … {} beside that of the samples, 0",
                                                              output_.dim() - 1)));
    if (output_.size(wrapped) < 2)
      throw Error(fmt::format("class axis {}: has length 1 in the network's output {}, and a loss over one class is "
                              "constant",
                              axis, SampleShape(output_.sizes())));
    return wrapped;
  }

  LabelForm FormOfLabels() {
    if (!labels_.defined()) return LabelForm::None;
    const std::vector<std::int64_t> given = Squeezed(labels_.sizes());
    for (const std::int64_t axis : axes_) {
      if (output_.size(axis) < 2) continue;
      std::vector<std::int64_t> sizes = output_.sizes().vec();
      sizes.erase(sizes.begin() + axis);
      if (Squeezed(sizes) == given) fitting_axes_.push_back(axis);
    }
    if (!fitting_axes_.empty() && !labels_.is_floating_point()) return LabelForm::Classes;
    if (Squeezed(output_.sizes()) != given) return LabelForm::Unfitting;
    const at::Tensor counted = labels_.masked_select(loss::CountedLabels(labels_));
    return counted.eq(0).logical_or_(counted.eq(1)).all().item<bool>() ? LabelForm::ZeroOne : LabelForm::Numbers;
  }

  Criterion Default() const {
    switch (form_) {
      case LabelForm::Classes:
        return OfClasses(Loss::CrossEntropy, true);
      case LabelForm::ZeroOne:
        return Of(Loss::BinaryCrossEntropy, OutputKind::Binary, true,
                  fmt::format("the labels are 0 and 1, one for each number of the output {}", SampleShape(output_.sizes())));
      case LabelForm::Numbers:
        return Of(Loss::MeanSquaredError, OutputKind::Values, true,
                  fmt::format("the labels are numbers, one for each of the output {}", SampleShape(output_.sizes())));
      case LabelForm::Unfitting:
        throw Error(Misfit());
      case LabelForm::None:
        break;
    }
    return Unlabelled();
  }

  /// Without labels only the output's shape tells what it is.
  Criterion Unlabelled() const {
    const std::string shape = SampleShape(output_.sizes());
    const auto values = [&](const std::string& why) {
      return Of(Loss::MeanSquaredError, OutputKind::Values, false, why);
    };
    if (asked_axis_) return OfClasses(Loss::Divergence, false);
    if (Squeezed(output_.sizes()).empty())
      return values(fmt::format("the data has no labels, and the network has one output a sample, {}", shape));
    if (output_.dim() > 3) return values(fmt::format("the data has no labels, and the output {} is a map", shape));
    if (output_.dim() == 3 && (output_.size(1) == 1 || output_.size(2) == 1))
      return values(fmt::format("the data has no labels, and the output {} has one channel", shape));
    return OfClasses(Loss::Divergence, false);
  }

  Criterion AsGiven(Loss loss) const {
    switch (loss) {
      case Loss::CrossEntropy:
        if (form_ == LabelForm::None)
          throw Error("the loss is cross-entropy, but the data has no labels; divergence needs none");
        RequireClasses(loss);
        if (form_ != LabelForm::Classes) throw Error(Misfit());
        return OfClasses(loss, true);
      case Loss::Divergence:
        if (form_ == LabelForm::ZeroOne) return Of(loss, OutputKind::Binary, true, kAskedFor);
        RequireClasses(loss);
        return OfClasses(loss, form_ == LabelForm::Classes);
      case Loss::BinaryCrossEntropy:
        CheckBinaryLabels();
        return Of(loss, OutputKind::Binary, form_ != LabelForm::None, kAskedFor);
      case Loss::MeanSquaredError:
        if (form_ == LabelForm::Classes) return OfClasses(loss, true);
        return Of(loss, OutputKind::Values, form_ == LabelForm::ZeroOne || form_ == LabelForm::Numbers, kAskedFor);
      case Loss::Auto:
      case Loss::LogitShift:
        break;
    }
    const bool unlabelled = form_ == LabelForm::None || form_ == LabelForm::Unfitting;
    if (unlabelled && !Squeezed(output_.sizes()).empty()) return OfClasses(loss, false);  // asked for, as divergence is
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
    const std::int64_t axis = form_ == LabelForm::Classes ? fitting_axes_.front() : ClassAxis();
    if (labelled) CheckClassNumbers(output_.size(axis));
    Criterion criterion = Of(loss, OutputKind::Classes, labelled, "");
    criterion.class_axis = axis;
    if (output_.dim() > 2)
      criterion.reason = fmt::format("the classes are along axis {} of the output {}{}", axis,
                                     SampleShape(output_.sizes()), OtherAxes());
    return criterion;
  }

  /// Those along which the labels would be classes, too.
  std::string OtherAxes() const {
    if (form_ != LabelForm::Classes || fitting_axes_.size() < 2) return "";
    return fmt::format("; the labels {} fit axis {} as well, which class_axis (--class-axis) would choose",
                       SampleShape(labels_.sizes()),
                       fmt::join(fitting_axes_.begin() + 1, fitting_axes_.end(), " and axis "));
  }

  /// Without labels to tell it.
  std::int64_t ClassAxis() const {
    return *std::find_if(axes_.begin(), axes_.end(), [&](std::int64_t axis) { return output_.size(axis) > 1; });
  }

  void RequireClasses(Loss loss) const {
    if (!Squeezed(output_.sizes()).empty()) return;
    throw Error(fmt::format("the loss {} is over one class, hence constant: the network has one output a sample, {}; "
                            "binary-cross-entropy and mean-squared-error are for such",
                            ToString(loss), SampleShape(output_.sizes())));
  }

  void CheckBinaryLabels() const {
    if (form_ == LabelForm::None) return;
    if (form_ != LabelForm::ZeroOne && form_ != LabelForm::Numbers)
      throw Error(
          fmt::format("labels of shape {} do not fit an output of shape {}: binary cross entropy needs a label "
                      "0 or 1 for every element",
                      loss::ShapeText(labels_.sizes()), SampleShape(output_.sizes())));
    const at::Tensor counted = labels_.masked_select(loss::CountedLabels(labels_));
    const at::Tensor wrong = counted.masked_select(counted.lt(0).logical_or_(counted.gt(1)));
    if (wrong.numel() > 0)
      throw Error(fmt::format("label {} given, binary cross entropy needs 0 or 1 (floats: from 0 to 1){}",
                              wrong[0].item<double>(), kHowToIgnore));
  }

  void CheckClassNumbers(std::int64_t classes) const {
    const at::Tensor counted = labels_.masked_select(loss::CountedLabels(labels_));
    const at::Tensor wrong = counted.masked_select(counted.lt(0).logical_or_(counted.ge(classes)));
    if (wrong.numel() > 0)
      throw Error(fmt::format("label {} is outside the network's {} classes (0 … {}){}",
                              wrong[0].item<std::int64_t>(), classes, classes - 1, kHowToIgnore));
  }

  std::string Misfit() const {
    if (labels_.is_floating_point() && !fitting_axes_.empty())
      return fmt::format(
          "labels of shape {} are {}, and their shape is that of class numbers for an output of shape "
          "{}: class numbers must be integers (labels.astype(\"int64\"))",
          loss::ShapeText(labels_.sizes()), c10::toString(labels_.scalar_type()), SampleShape(output_.sizes()));
    std::string class_numbers;
    if (!axes_.empty() && output_.size(axes_.front()) > 1) {
      std::vector<std::int64_t> sizes = output_.sizes().vec();
      sizes.erase(sizes.begin() + axes_.front());
      class_numbers = SampleShape(sizes) + " for class numbers, or ";
    }
    return fmt::format("labels of shape {} ({}) do not fit an output of shape {}: expected {}{} for a number each",
                       loss::ShapeText(labels_.sizes()), labels_.is_floating_point() ? "floats" : "integers",
                       SampleShape(output_.sizes()), class_numbers, SampleShape(output_.sizes()));
  }

  void CountLabels(Criterion& criterion) const {
    if (!criterion.labelled) return;
    const std::int64_t counted = loss::CountedLabels(labels_).sum().item<std::int64_t>();
    if (counted == labels_.numel()) return;
    if (counted == 0) throw Error("every label of the data is ignored: nothing is left to compare outputs at");
    criterion.counted = static_cast<double>(counted) / static_cast<double>(labels_.size(0));
  }

  static constexpr const char* kAskedFor = "it was asked for";
  static constexpr const char* kHowToIgnore =
      "; positions that should not count can be given a label to ignore (ignored_labels, --ignore-label)";

  const at::Tensor& output_;
  const at::Tensor& labels_;
  bool asked_axis_;
  std::vector<std::int64_t> axes_;  // that may hold classes, the usual one first
  std::vector<std::int64_t> fitting_axes_;  // those of them along which labels of this shape are class numbers
  LabelForm form_ = LabelForm::None;
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

Criterion ToCompareOutputs(const at::Tensor& output, const at::Tensor& labels,
                           std::optional<std::int64_t> class_axis) {
  const at::NoGradGuard no_gradient;
  return Resolver(output, labels, class_axis).Unjudged();
}

}  // namespace bitplan::loss

namespace bitplan {

Criterion ResolveLoss(const Network& network, const Dataset& data, Loss loss, double temperature) {
  const at::NoGradGuard no_gradient;
  const at::Tensor output = network.Forward(data.Get(0, 1, at::Device(network.device())).inputs);
  return ResolveLoss(output, data.labels(), loss, temperature, network.class_axis());
}

}  // namespace bitplan
