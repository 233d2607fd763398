#include "bitplan/evaluate.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "bitplan/error.h"
#include "bitplan/loss.h"

namespace bitplan {

namespace {

/// Sums over the predictions seen so far.
struct Tally {
  std::int64_t correct = 0, agreeing = 0, predictions = 0;
  double loss = 0, divergence = 0;
};

void Count(const at::Tensor& logits, const at::Tensor& float_logits, const at::Tensor& labels, Tally& tally) {
  const std::int64_t axis = ClassAxis(logits, labels);
  const at::Tensor predicted = logits.argmax(axis);
  const auto predictions = predicted.numel();
  tally.predictions += predictions;
  tally.agreeing += predicted.eq(float_logits.argmax(axis)).sum().item<std::int64_t>();
  tally.divergence += LossValue(Loss::Divergence, logits, float_logits).item<double>() * static_cast<double>(predictions);
  if (!labels.defined()) return;
  tally.loss += LossValue(Loss::CrossEntropy, logits, labels).item<double>() * static_cast<double>(predictions);
  tally.correct += predicted.eq(labels).sum().item<std::int64_t>();
}

Evaluation Summarize(const Tally& tally, bool labels) {
  const auto total = static_cast<double>(tally.predictions);
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  Evaluation evaluation;
  evaluation.total = tally.predictions;
  evaluation.correct = labels ? tally.correct : -1;
  evaluation.accuracy = labels ? static_cast<double>(tally.correct) / total : kNaN;
  evaluation.loss = labels ? tally.loss / total : kNaN;
  evaluation.agreement = static_cast<double>(tally.agreeing) / total;
  evaluation.divergence = std::max(tally.divergence / total, 0.0);
  return evaluation;
}

at::Tensor Finite(at::Tensor logits, const char* network) {
  if (!logits.isfinite().all().item<bool>())
    throw Error(fmt::format("the {} network's output holds NaN or an infinite value", network));
  return logits;
}

}  // namespace

std::vector<Evaluation> Evaluate(const Network& network, const std::vector<QuantizedNetwork>& quantized, const Dataset& data,
                                 std::int64_t batch_size, const ProgressCallback& progress) {
  if (batch_size < 1) throw Error(fmt::format("batch size: {} given, at least 1 needed", batch_size));
  const at::NoGradGuard no_grad;
  std::vector<Tally> tallies(1 + quantized.size());
  for (std::int64_t begin = 0; begin < data.size(); begin += batch_size) {
    Report(progress, "evaluating", begin, data.size());
    const Batch batch = data.Get(begin, std::min(begin + batch_size, data.size()), at::Device(network.device()));
    const at::Tensor float_logits = Finite(network.Forward(batch.inputs), "float");
    Count(float_logits, float_logits, batch.labels, tallies[0]);
    for (std::size_t i = 0; i < quantized.size(); ++i)
      Count(Finite(quantized[i].Forward(batch.inputs), "quantized"), float_logits, batch.labels, tallies[i + 1]);
  }
  Report(progress, "evaluating", data.size(), data.size());
  std::vector<Evaluation> evaluations;
  for (const Tally& tally : tallies) evaluations.push_back(Summarize(tally, data.has_labels()));
  return evaluations;
}

}  // namespace bitplan
