#include "several_outputs.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <utility>

#include "bitplan/error.h"
#include "shape_text.h"
#include "tuning.h"

namespace bitplan::loss {

namespace {

/// Sums over some samples' numbers of one output, each sample's as many.
struct Spread {
  std::vector<double> means, variances, squares;  // of each sample

  void Add(const at::Tensor& numbers) {
    means.push_back(numbers.mean().item<double>());
    variances.push_back(numbers.var(/*unbiased=*/false).item<double>());
    squares.push_back(numbers.square().mean().item<double>());
  }

  static double Mean(const std::vector<double>& values) {
    double sum = 0;
    for (const double value : values) sum += value;
    return sum / static_cast<double>(values.size());
  }

  /// What a squared error is divided by: the variance of all numbers, or, where they are all the same, their square.
  double Unit() const {
    const double mean = Mean(means), square = Mean(squares);
    double between = 0;
    for (const double each : means) between += (each - mean) * (each - mean);
    const double variance = Mean(variances) + between / static_cast<double>(means.size());
    if (variance > tuning::kConstantOutput * square) return variance;
    return square > 0 ? square : 1;
  }
};

/// Over samples that are spread evenly over the data.
std::vector<double> UnitsOf(const Network& network, const Dataset& data, const Criterion& criterion) {
  std::vector<Spread> spreads(criterion.several.size());
  const std::int64_t taken = std::min(data.size(), tuning::kSamplesOfVariance);
  for (std::int64_t i = 0; i < taken; ++i) {
    const std::int64_t sample = i * data.size() / taken;
    const at::Tensor output = network.Forward(data.Get(sample, sample + 1, at::Device(network.device())).inputs);
    const std::vector<at::Tensor> apart = Apart(criterion, output);
    for (std::size_t k = 0; k < apart.size(); ++k) {
      if (!apart[k].isfinite().all().item<bool>())
        throw Error(fmt::format("the network's output '{}' is not finite for sample {}",
                                criterion.several[k].output.name, sample));
      spreads[k].Add(apart[k].to(at::kDouble));
    }
  }
  std::vector<double> units;
  for (const Spread& spread : spreads) units.push_back(spread.Unit());
  return units;
}

void CheckLoss(const Network& network, Loss loss) {
  if (loss == Loss::Module)
    throw Error("the loss is module, and there is none: give the model file of a loss (--loss-module)");
  if (loss == Loss::CrossEntropy || loss == Loss::BinaryCrossEntropy)
    throw Error(
        fmt::format("the loss {} is of one output, and all are taken: name one of them, or give a loss module, "
                    "which is given all of them and the labels",
                    ToString(loss)));
  if (network.class_axis())
    throw Error("a class axis is of one output, and all are taken: name one of them (output), or leave it out");
}

std::string Described(const Criterion& criterion, const std::vector<NamedOutput>& all) {
  std::vector<std::string> outputs, left_out;
  for (const JudgedOutput& each : criterion.several) {
    std::vector<std::int64_t> shape = each.output.shape;
    outputs.push_back(
        fmt::format("{} [N{}{}] by {}", each.output.name, shape.empty() ? "" : ", ", fmt::join(shape, ", "),
                    each.kind == OutputKind::Classes ? "divergence of classes" : "squared error over its variance"));
  }
  for (const NamedOutput& each : all)
    if (!each.left_out.empty()) left_out.push_back(fmt::format("{} ({})", each.name, each.left_out));
  return fmt::format("{}{}{}", fmt::join(outputs, ", "),
                     left_out.empty() ? "" : "; left out: ", fmt::join(left_out, ", "));
}

}  // namespace

Criterion OfSeveral(const Network& network, const Dataset& data, const std::vector<NamedOutput>& outputs, Loss loss) {
  CheckLoss(network, loss);
  Criterion criterion;
  criterion.loss = loss == Loss::Auto ? Loss::Divergence : loss;
  criterion.outputs = OutputKind::Several;
  for (const NamedOutput& output : outputs) {
    if (!output.left_out.empty()) continue;
    const bool vector = output.shape.size() == 1 && output.shape.front() > 1 && loss != Loss::MeanSquaredError;
    criterion.several.push_back({output, vector ? OutputKind::Classes : OutputKind::Values, 1});
  }
  const std::vector<double> units = UnitsOf(network, data, criterion);
  for (std::size_t i = 0; i < units.size(); ++i)
    if (criterion.several[i].kind == OutputKind::Values) criterion.several[i].weight = 1 / units[i];
  criterion.reason = Described(criterion, outputs);
  return criterion;
}

Criterion By(const SampleFunction& module, Criterion outputs) {
  outputs.loss = Loss::Module;
  outputs.module = module;
  if (outputs.outputs != OutputKind::Several) outputs.reason = fmt::format("{} judges the outputs", module.name());
  return outputs;
}

}  // namespace bitplan::loss
