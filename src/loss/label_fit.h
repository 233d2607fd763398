#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace bitplan::loss {

/// What labels say about an output.
enum class LabelForm {
  None,      ///< there are none
  Classes,   ///< one class number a prediction
  ZeroOne,   ///< one for each number of the output, all of them 0 or 1
  Numbers,   ///< one for each number of the output
  Unfitting  ///< of no shape that goes with the output's
};

/// How the labels of some data, which may be undefined, go with a network's output [N, …]; shapes are compared without
/// axes of length 1. Both must outlive it.
class LabelFit {
 public:
  /// `class_axis`: asked for, negative from the back. Throws Error: an output that is not floating-point or a single
  /// number, an axis that it does not have or that has one class.
  LabelFit(const at::Tensor& output, const at::Tensor& labels, std::optional<std::int64_t> class_axis);

  const at::Tensor& output() const { return output_; }
  LabelForm form() const { return form_; }
  bool axis_was_asked_for() const { return asked_axis_; }
  bool HasOneNumberASample() const;

  std::string OutputShape() const;  ///< "[N, 3, 8, 8]"

  std::int64_t ClassAxis() const;  ///< that labels tell, else the usual one; ≥ 1
  std::string OtherAxes() const;   ///< in words, those along which labels would be classes, too; empty: none

  std::string Misfit() const;  ///< in words, why labels do not fit, and what would

  // These throw Error where labels that count have other values.
  void CheckBinary() const;                            ///< 0 … 1, one for each number of the output
  void CheckClassNumbers(std::int64_t classes) const;  ///< 0 … classes − 1

  std::int64_t Counted() const;  ///< labels that are not ignored
  std::int64_t LabelCount() const { return labels_.numel(); }
  double CountedASample() const;  ///< on average

 private:
  std::int64_t Wrapped(std::int64_t axis) const;
  LabelForm FindForm();

  const at::Tensor& output_;
  const at::Tensor& labels_;
  bool asked_axis_;
  std::vector<std::int64_t> axes_;          // that may hold classes, the usual one first
  std::vector<std::int64_t> fitting_axes_;  // those of them along which labels of this shape are class numbers
  LabelForm form_ = LabelForm::None;
};

}  // namespace bitplan::loss
