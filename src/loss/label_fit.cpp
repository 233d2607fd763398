#include "label_fit.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "bitplan/error.h"
#include "loss/predictions.h"
#include "shape_text.h"

namespace bitplan::loss {

namespace {

constexpr const char* kHowToIgnore =
    "; positions that should not count can be given a label to ignore (ignored_labels, --ignore-label)";

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

}  // namespace

LabelFit::LabelFit(const at::Tensor& output, const at::Tensor& labels, std::optional<std::int64_t> class_axis)
    : output_(output), labels_(labels), asked_axis_(class_axis.has_value()) {
  if (!output.is_floating_point())
    throw Error(fmt::format("the network's output is {}, expected floating-point numbers [N, …]",
                            c10::toString(output.scalar_type())));
  if (output.dim() == 0) throw Error("the network's output is a single number, expected [N, …], a row a sample");
  if (asked_axis_) axes_ = {Wrapped(*class_axis)};
  // Where several fit: the last of [N, T, C], else the first after the samples.
  for (std::int64_t axis = 1; axis < output.dim() && !asked_axis_; ++axis) axes_.push_back(axis);
  if (output.dim() == 3 && !asked_axis_) std::swap(axes_[0], axes_[1]);
  form_ = FindForm();
}

bool LabelFit::HasOneNumberASample() const { return Squeezed(output_.sizes()).empty(); }

std::string LabelFit::OutputShape() const { return SampleShape(output_.sizes()); }

std::int64_t LabelFit::Wrapped(std::int64_t axis) const {
  const std::int64_t wrapped = axis < 0 ? axis + output_.dim() : axis;
  if (wrapped < 1 || wrapped >= output_.dim())
    throw Error(fmt::format("class axis {}: the network's output {} has {}", axis, SampleShape(output_.sizes()),
                            output_.dim() < 2
                                ? "no axis but that of the samples"
                                : fmt::format("the axes 1 … {} beside that of the samples, 0", output_.dim() - 1)));
  if (output_.size(wrapped) < 2)
    throw Error(
        fmt::format("class axis {}: has length 1 in the network's output {}, and a loss over one class is "
                    "constant",
                    axis, SampleShape(output_.sizes())));
  return wrapped;
}

LabelForm LabelFit::FindForm() {
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
  const at::Tensor counted = labels_.masked_select(CountedLabels(labels_));
  return counted.eq(0).logical_or_(counted.eq(1)).all().item<bool>() ? LabelForm::ZeroOne : LabelForm::Numbers;
}

std::int64_t LabelFit::ClassAxis() const {
  if (form_ == LabelForm::Classes) return fitting_axes_.front();
  return *std::find_if(axes_.begin(), axes_.end(), [&](std::int64_t axis) { return output_.size(axis) > 1; });
}

std::string LabelFit::OtherAxes() const {
  if (form_ != LabelForm::Classes || fitting_axes_.size() < 2) return "";
  return fmt::format("; the labels {} fit axis {} as well, which class_axis (--class-axis) would choose",
                     SampleShape(labels_.sizes()),
                     fmt::join(fitting_axes_.begin() + 1, fitting_axes_.end(), " and axis "));
}

std::string LabelFit::Misfit() const {
  if (labels_.is_floating_point() && !fitting_axes_.empty())
    return fmt::format(
        "labels of shape {} are {}, and their shape is that of class numbers for an output of shape "
        "{}: class numbers must be integers (labels.astype(\"int64\"))",
        ShapeText(labels_.sizes()), c10::toString(labels_.scalar_type()), SampleShape(output_.sizes()));
  std::string class_numbers;
  if (!axes_.empty() && output_.size(axes_.front()) > 1) {
    std::vector<std::int64_t> sizes = output_.sizes().vec();
    sizes.erase(sizes.begin() + axes_.front());
    class_numbers = SampleShape(sizes) + " for class numbers, or ";
  }
  return fmt::format("labels of shape {} ({}) do not fit an output of shape {}: expected {}{} for a number each",
                     ShapeText(labels_.sizes()), labels_.is_floating_point() ? "floats" : "integers",
                     SampleShape(output_.sizes()), class_numbers, SampleShape(output_.sizes()));
}

void LabelFit::CheckBinary() const {
  if (form_ == LabelForm::None) return;
  if (form_ != LabelForm::ZeroOne && form_ != LabelForm::Numbers)
    throw Error(
        fmt::format("labels of shape {} do not fit an output of shape {}: binary cross entropy needs a label "
                    "0 or 1 for every element",
                    ShapeText(labels_.sizes()), SampleShape(output_.sizes())));
  const at::Tensor counted = labels_.masked_select(CountedLabels(labels_));
  const at::Tensor wrong = counted.masked_select(counted.lt(0).logical_or_(counted.gt(1)));
  if (wrong.numel() > 0)
    throw Error(fmt::format("label {} given, binary cross entropy needs 0 or 1 (floats: from 0 to 1){}",
                            wrong[0].item<double>(), kHowToIgnore));
}

void LabelFit::CheckClassNumbers(std::int64_t classes) const {
  const at::Tensor counted = labels_.masked_select(CountedLabels(labels_));
  const at::Tensor wrong = counted.masked_select(counted.lt(0).logical_or_(counted.ge(classes)));
  if (wrong.numel() > 0)
    throw Error(fmt::format("label {} is outside the network's {} classes (0 … {}){}", wrong[0].item<std::int64_t>(),
                            classes, classes - 1, kHowToIgnore));
}

std::int64_t LabelFit::Counted() const { return CountedLabels(labels_).sum().item<std::int64_t>(); }

double LabelFit::CountedASample() const {
  return static_cast<double>(Counted()) / static_cast<double>(labels_.size(0));
}

}  // namespace bitplan::loss
