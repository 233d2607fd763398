#include "loss/predictions.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "bitplan/error.h"
#include "shape_text.h"

namespace bitplan {

namespace {

void CheckCount(const at::Tensor& output, const at::Tensor& by_prediction, const at::Tensor& labels) {
  if (labels.defined() && labels.numel() == by_prediction.size(0) * by_prediction.size(1)) return;
  throw Error(fmt::format("labels of shape {} do not fit an output of shape {}",
                          labels.defined() ? loss::ShapeText(labels.sizes()) : "[]", loss::ShapeText(output.sizes())));
}

}  // namespace

}  // namespace bitplan

namespace bitplan::loss {

at::Tensor CountedLabels(const at::Tensor& labels) {
  return labels.is_floating_point() ? labels.isnan().logical_not_() : labels.ne(kIgnoredLabel);
}

at::Tensor LabelsByPrediction(const at::Tensor& output, const at::Tensor& by_prediction, const at::Tensor& labels) {
  CheckCount(output, by_prediction, labels);
  const at::Tensor counted = labels.masked_fill(CountedLabels(labels).logical_not_(), 0);
  return counted.reshape({by_prediction.size(0), by_prediction.size(1)}).to(output.device());
}

}  // namespace bitplan::loss

namespace bitplan {

at::Tensor ByPrediction(const Criterion& criterion, const at::Tensor& output) {
  if (criterion.outputs == OutputKind::Several) return output.reshape({output.size(0), 1, -1});
  if (criterion.outputs != OutputKind::Classes) return output.reshape({output.size(0), -1, 1});
  const at::Tensor last = output.movedim(criterion.class_axis, -1);
  return last.reshape({last.size(0), -1, last.size(-1)});
}

at::Tensor CountedPredictions(const Criterion& criterion, const at::Tensor& output, const at::Tensor& labels) {
  if (criterion.counted == 0) return {};
  const at::Tensor by_prediction = ByPrediction(criterion, output);
  CheckCount(output, by_prediction, labels);
  return loss::CountedLabels(labels).reshape({by_prediction.size(0), by_prediction.size(1)}).to(output.device());
}

at::Tensor PredictionShares(const Criterion& criterion, const at::Tensor& output, const at::Tensor& labels) {
  const at::Tensor counted = CountedPredictions(criterion, output, labels);
  if (counted.defined()) return counted.to(at::kDouble) / criterion.counted;
  const at::Tensor by_prediction = ByPrediction(criterion, output);
  return at::full({by_prediction.size(0), by_prediction.size(1)}, 1 / static_cast<double>(by_prediction.size(1)),
                  output.options().dtype(at::kDouble).requires_grad(false));
}

at::Tensor Decisions(const Criterion& criterion, const at::Tensor& output) {
  if (!bitplan::Decides(criterion.outputs)) return {};
  const at::Tensor by_prediction = ByPrediction(criterion, output.detach());
  if (criterion.outputs == OutputKind::Binary) return by_prediction.squeeze(-1).gt(0).to(at::kLong);
  return by_prediction.argmax(-1);
}

at::Tensor RightDecisions(const Criterion& criterion, const at::Tensor& output, const at::Tensor& labels) {
  const at::Tensor by_prediction = ByPrediction(criterion, output.detach());
  const at::Tensor wanted = loss::LabelsByPrediction(output, by_prediction, labels);
  const bool binary = criterion.outputs == OutputKind::Binary;
  const at::Tensor right = Decisions(criterion, output).eq(binary ? wanted.gt(0.5).to(at::kLong) : wanted);
  const at::Tensor counted = CountedPredictions(criterion, output, labels);
  return counted.defined() ? right.logical_and(counted) : right;
}

}  // namespace bitplan
