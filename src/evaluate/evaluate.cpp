#include "bitplan/evaluate.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include "bitplan/error.h"
#include "bitplan/loss.h"
#include "network/image_layout.h"
#include "process/memory_limit.h"
#include "quantize/quantized_network.h"

namespace bitplan {

namespace {

/// What counts of a batch's predictions, one a row: [predictions, numbers of each], and labels [predictions].
struct Predictions {
  at::Tensor outputs, labels;
};

Predictions Counted(const Criterion& criterion, const at::Tensor& output, const at::Tensor& labels) {
  const at::Tensor counted = CountedPredictions(criterion, output, labels);
  const at::Tensor by_prediction = ByPrediction(criterion, output);
  const auto rows = [&](const at::Tensor& values) {
    return counted.defined() ? values.index({counted}) : values.flatten(0, 1);
  };
  if (!criterion.labelled) return {rows(by_prediction), {}};
  return {rows(by_prediction), rows(labels.reshape(by_prediction.sizes().slice(0, 2)))};
}

void CheckOutput(const at::Tensor& output, const std::string& whose) {
  if (!output.is_floating_point())
    throw Error(fmt::format("the output of {} is {}, expected floating-point logits", whose,
                            c10::toString(output.scalar_type())));
  if (!output.isfinite().all().item<bool>()) throw Error(fmt::format("the output of {} is not finite", whose));
}

/// Sums over the predictions of one network, and over the samples where modules judge them.
class Tally {
 public:
  Tally(const Criterion& criterion, const std::optional<SampleFunction>& metric)
      : judged_(criterion), criterion_(criterion), metric_(metric) {
    criterion_.module.reset();  // it is given whole outputs
    criterion_.class_axis = 1;  // of rows
    criterion_.counted = 0;     // they all do
  }

  /// The modules' part. `output` [N, …], `labels` [N, …] or undefined.
  void AddSamples(const at::Tensor& output, const at::Tensor& labels) {
    samples_ += output.size(0);
    const auto sum = [&](const SampleFunction& function) {
      return Judge(function, judged_, output, labels).sum().item<double>();
    };
    if (judged_.module) module_loss_ += sum(*judged_.module);
    if (metric_) metric_sum_ += sum(*metric_);
  }

  void Add(const Predictions& own, const Predictions& reference) {
    const std::int64_t count = own.outputs.size(0);
    if (count == 0) return;
    total_ += count;
    divergence_ += Sum(criterion_.With(Loss::Divergence), own, reference);
    const bool decides = Decides(criterion_.outputs);
    if (decides)
      agreeing_ +=
          Decisions(criterion_, own.outputs).eq(Decisions(criterion_, reference.outputs)).sum().item<std::int64_t>();
    if (!criterion_.labelled) return;
    loss_ += Sum(criterion_.WithLabels(), own, reference);
    if (decides) correct_ += RightDecisions(criterion_, own.outputs, own.labels).sum().item<std::int64_t>();
  }

  Evaluation Result() const {
    const auto predictions = static_cast<double>(total_), samples = static_cast<double>(samples_);
    constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
    const bool decides = Decides(criterion_.outputs), judged = decides && criterion_.labelled;
    Evaluation result;
    result.correct = judged ? correct_ : -1;
    result.total = total_;
    result.accuracy = judged ? static_cast<double>(correct_) / predictions : kUnknown;
    result.loss = criterion_.labelled ? loss_ / predictions : kUnknown;
    result.agreement = decides ? static_cast<double>(agreeing_) / predictions : kUnknown;
    result.divergence = std::max(divergence_ / predictions, 0.0);  // rounding may leave it below zero
    result.outputs = criterion_.outputs;
    if (judged_.module) result.loss = module_loss_ / samples;
    if (judged_.module) result.loss_module = judged_.module->name();
    if (metric_) result.metric = EvaluationMetric{metric_->name(), metric_sum_ / samples};
    return result;
  }

 private:
  static double Sum(const Criterion& criterion, const Predictions& own, const Predictions& reference) {
    return LossValue(criterion, own.outputs, reference.outputs, own.labels).item<double>() *
           static_cast<double>(own.outputs.size(0));
  }

  Criterion judged_, criterion_;  // of whole outputs, and of rows
  std::optional<SampleFunction> metric_;
  std::int64_t samples_ = 0, total_ = 0, correct_ = 0, agreeing_ = 0;
  double loss_ = 0, divergence_ = 0, module_loss_ = 0, metric_sum_ = 0;
};

/// Whether each sample is a sequence of classes to be predicted, as of tokens.
bool JudgesSequences(const Criterion& criterion, const Dataset& data) {
  return criterion.labelled && !criterion.module && criterion.outputs == OutputKind::Classes &&
         data.labels().dim() == 2;
}

}  // namespace

Criterion EvaluationCriterion(const Network& network, const Dataset& data, Loss loss) {
  return ResolveLoss(network, data, loss == Loss::CrossEntropy && !data.has_labels() ? Loss::Divergence : loss);
}

std::vector<Evaluation> Evaluate(const Network& network, const std::vector<QuantizedNetwork>& quantized,
                                 const Dataset& data, const PassLimits& limits, const ProgressCallback& progress,
                                 Loss loss) {
  std::vector<ForwardFunction> functions;
  std::int64_t held = 0;
  for (const QuantizedNetwork& each : quantized) {
    functions.emplace_back([&each](const std::vector<at::Tensor>& inputs) { return each.Forward(inputs); });
    held += quantize::OwnBytes(each);
  }
  process::CheckOneSampleFits(held, limits.memory_bytes, "what is quantized");
  return EvaluateFunctions(network, functions, data, limits.Beside(held), progress, loss);
}

std::vector<Evaluation> EvaluateFunctions(const Network& network, const std::vector<ForwardFunction>& functions,
                                          const Dataset& data, const PassLimits& limits,
                                          const ProgressCallback& progress, Loss loss) {
  if (limits.batch_size < 1) throw Error(fmt::format("batch size: {} given, at least 1 needed", limits.batch_size));
  const at::NoGradGuard no_grad;
  const Criterion criterion = EvaluationCriterion(network, data, loss);
  const network::ImageLayout layout(network, data.Get(0, 1, at::Device(network.device())).inputs);
  const auto pass = [&](std::int64_t begin, std::int64_t end, std::vector<Tally>& tallies, bool check) {
    Batch batch = data.Get(begin, end, at::Device(network.device()));
    batch.inputs = layout(batch.inputs);
    const at::Tensor output = network.Forward(batch.inputs);
    if (check) CheckOutput(output, "the float network");
    const Predictions reference = Counted(criterion, output, batch.labels);
    tallies[0].Add(reference, reference);
    tallies[0].AddSamples(output, batch.labels);
    for (std::size_t i = 0; i < functions.size(); ++i) {
      const at::Tensor own = functions[i](batch.inputs);
      if (check)
        CheckOutput(own, functions.size() == 1 ? "the quantized network" : fmt::format("quantized network {}", i + 1));
      tallies[1 + i].Add(Counted(criterion, own, batch.labels), reference);
      tallies[1 + i].AddSamples(own, batch.labels);
    }
  };
  const std::size_t networks = 1 + functions.size();
  const std::int64_t samples =
      process::SamplesAPass(std::min(limits.batch_size, data.size()), limits.memory_bytes, 0, [&](std::int64_t count) {
        std::vector<Tally> trial(networks, Tally(criterion, network.metric_module()));
        pass(0, count, trial, /*check=*/false);
      });
  std::vector<Tally> tallies(networks, Tally(criterion, network.metric_module()));
  for (std::int64_t begin = 0; begin < data.size(); begin += samples) {
    const std::int64_t end = std::min(begin + samples, data.size());
    pass(begin, end, tallies, /*check=*/true);
    Report(progress, "evaluating", end, data.size());
  }
  std::vector<Evaluation> results;
  for (const Tally& tally : tallies) {
    results.push_back(tally.Result());
    if (JudgesSequences(criterion, data)) results.back().perplexity = std::exp(results.back().loss);
  }
  return results;
}

}  // namespace bitplan
