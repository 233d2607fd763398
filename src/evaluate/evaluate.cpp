#include "bitplan/evaluate.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <string>

#include "bitplan/error.h"
#include "bitplan/loss.h"
#include "network/image_layout.h"
#include "process/memory_limit.h"
#include "quantize/quantized_network.h"

namespace bitplan {

namespace {

std::string Shape(at::IntArrayRef sizes) { return fmt::format("[{}]", fmt::join(sizes, ", ")); }

/// One row a prediction: [N, C], [N, C, H, W], … become [predictions, C], and labels [predictions].
struct Predictions {
  at::Tensor logits, labels;
};

Predictions Flatten(const at::Tensor& output, const at::Tensor& labels) {
  const at::Tensor logits = output.movedim(ClassAxis(output, labels), -1);
  const auto expected = logits.sizes().slice(0, static_cast<std::size_t>(logits.dim()) - 1);
  if (labels.defined() && labels.sizes() != expected)
    throw Error(fmt::format("labels of shape {} do not fit an output of shape {}: expected {}", Shape(labels.sizes()),
                            Shape(output.sizes()), Shape(expected)));
  return {logits.reshape({-1, logits.size(-1)}), labels.defined() ? labels.reshape({-1}) : labels};
}

void CheckOutput(const at::Tensor& output, const std::string& whose) {
  if (!output.is_floating_point())
    throw Error(fmt::format("the output of {} is {}, expected floating-point logits", whose,
                            c10::toString(output.scalar_type())));
  if (!output.isfinite().all().item<bool>()) throw Error(fmt::format("the output of {} is not finite", whose));
}

/// Sums over the predictions of one network.
struct Tally {
  std::int64_t total = 0, correct = 0, agreeing = 0;
  double loss = 0, divergence = 0;

  void Add(const Predictions& own, const Predictions& reference) {
    const at::Tensor chosen = own.logits.argmax(1);
    const std::int64_t count = own.logits.size(0);
    total += count;
    agreeing += chosen.eq(reference.logits.argmax(1)).sum().item<std::int64_t>();
    divergence += LossValue(Loss::Divergence, own.logits, reference.logits).item<double>() * static_cast<double>(count);
    if (!own.labels.defined()) return;
    loss += LossValue(Loss::CrossEntropy, own.logits, own.labels).item<double>() * static_cast<double>(count);
    correct += chosen.eq(own.labels).sum().item<std::int64_t>();
  }

  Evaluation Result(bool has_labels) const {
    const auto predictions = static_cast<double>(total);
    constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
    Evaluation result;
    result.correct = has_labels ? correct : -1;
    result.total = total;
    result.accuracy = has_labels ? static_cast<double>(correct) / predictions : kUnknown;
    result.loss = has_labels ? loss / predictions : kUnknown;
    result.agreement = static_cast<double>(agreeing) / predictions;
    result.divergence = std::max(divergence / predictions, 0.0);  // rounding may leave it below zero
    return result;
  }
};

}  // namespace

std::vector<Evaluation> Evaluate(const Network& network, const std::vector<QuantizedNetwork>& quantized,
                                 const Dataset& data, const PassLimits& limits, const ProgressCallback& progress) {
  std::vector<ForwardFunction> functions;
  std::int64_t held = 0;
  for (const QuantizedNetwork& each : quantized) {
    functions.emplace_back([&each](const std::vector<at::Tensor>& inputs) { return each.Forward(inputs); });
    held += OwnBytes(each);
  }
  return EvaluateFunctions(network, functions, data, limits.Beside(held), progress);
}

std::vector<Evaluation> EvaluateFunctions(const Network& network, const std::vector<ForwardFunction>& functions,
                                          const Dataset& data, const PassLimits& limits,
                                          const ProgressCallback& progress) {
  if (limits.batch_size < 1) throw Error(fmt::format("batch size: {} given, at least 1 needed", limits.batch_size));
  const at::NoGradGuard no_grad;
  const ImageLayout layout(network, data.Get(0, 1, at::Device(network.device())).inputs);
  const auto pass = [&](std::int64_t begin, std::int64_t end, std::vector<Tally>& tallies) {
    Batch batch = data.Get(begin, end, at::Device(network.device()));
    batch.inputs = layout(batch.inputs);
    const at::Tensor output = network.Forward(batch.inputs);
    CheckOutput(output, "the float network");
    const Predictions reference = Flatten(output, batch.labels);
    tallies[0].Add(reference, reference);
    for (std::size_t i = 0; i < functions.size(); ++i) {
      const at::Tensor own = functions[i](batch.inputs);
      CheckOutput(own, functions.size() == 1 ? "the quantized network" : fmt::format("quantized network {}", i + 1));
      tallies[1 + i].Add(Flatten(own, batch.labels), reference);
    }
  };
  const std::size_t networks = 1 + functions.size();
  const std::int64_t samples =
      SamplesAPass(std::min(limits.batch_size, data.size()), limits.memory_bytes, 0, [&](std::int64_t count) {
        std::vector<Tally> trial(networks);
        pass(0, count, trial);
      });
  std::vector<Tally> tallies(networks);
  for (std::int64_t begin = 0; begin < data.size(); begin += samples) {
    const std::int64_t end = std::min(begin + samples, data.size());
    pass(begin, end, tallies);
    Report(progress, "evaluating", end, data.size());
  }
  std::vector<Evaluation> results;
  for (const Tally& tally : tallies) results.push_back(tally.Result(data.has_labels()));
  return results;
}

}  // namespace bitplan
