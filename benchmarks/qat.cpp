// What training under a plan is worth, and what a step of it costs. Tables in Markdown, for docs/training.md.
//
//   bench_qat MODEL.pt DATA TEST [--epochs=N] [--methods=lsq,pact] [--settings=W4A4,mixed] [--learning-rate=X]
//   [--batch-norm=NAME] bench_qat MODEL.pt DATA TEST steps
//
// Accuracies: every method trains every setting for the same epochs on DATA, in batches of 128 with crops, flips and
// half of the loss towards the float network; right answers on TEST. The first and the last layer have 8 bits; mixed is
// the best plan of the size of W3A3 with 3-bit inputs. Steps: milliseconds of a training step, in float and quantized,
// side by side.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "bitplan/evaluate.h"
#include "bitplan/run.h"
#include "bitplan/train.h"

namespace {

using namespace bitplan;

struct Arguments {
  std::string model, data, test;
  std::vector<std::string> methods = {"fixed", "moving-average", "dorefa", "pact", "lsq", "lsq-plus", "qil",
                                      "bwn",   "binary-connect", "twn",    "ttq"};
  std::vector<std::string> settings = {"W4A4", "W3A3", "W2A4", "mixed"};
  TrainOptions train;
  bool steps = false;
};

std::vector<std::string> Split(const std::string& text) {
  std::vector<std::string> parts;
  std::stringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) parts.push_back(part);
  return parts;
}

Arguments Parse(const std::vector<std::string>& words) {
  if (words.size() < 3) throw std::invalid_argument("MODEL.pt DATA TEST [options], or MODEL.pt DATA TEST steps");
  Arguments arguments;
  arguments.model = words[0];
  arguments.data = words[1];
  arguments.test = words[2];
  arguments.train.crop_padding = 4;
  arguments.train.flip = true;
  arguments.train.distillation = 0.5;
  for (std::size_t i = 3; i < words.size(); ++i) {
    const auto equals = words[i].find('=');
    const std::string name = words[i].substr(0, equals),
                      value = equals == std::string::npos ? "" : words[i].substr(equals + 1);
    if (name == "steps")
      arguments.steps = true;
    else if (name == "--epochs")
      arguments.train.epochs = std::stoll(value);
    else if (name == "--methods")
      arguments.methods = Split(value);
    else if (name == "--settings")
      arguments.settings = Split(value);
    else if (name == "--learning-rate")
      arguments.train.learning_rate = std::stod(value);
    else if (name == "--batch-norm")
      arguments.train.batch_norm = ParseBatchNormFolding(value);
    else
      throw std::invalid_argument(fmt::format("unknown option {}", words[i]));
  }
  return arguments;
}

Plan UniformPlan(const Network& network, int weight_bits, int activation_bits) {
  Plan plan = PlanWithoutSearch("configuration", "configuration");
  plan.model_sha256 = network.sha256();
  const auto last = network.layers().size() - 1;
  for (std::size_t i = 0; i <= last; ++i) {
    const bool at_an_end = i == 0 || i == last;
    plan.layers.push_back({network.layers()[i].name, DefaultWeightFormat().WithBits(at_an_end ? 8 : weight_bits),
                           DefaultActivationFormat().WithBits(at_an_end ? 8 : activation_bits)});
  }
  return plan;
}

/// The best plan of the size of the uniform one of 3 bits, its inner inputs in 3 bits.
Plan MixedPlan(const Network& network, const Dataset& data, const Dataset& test) {
  double bits = 0;
  const Plan uniform = UniformPlan(network, 3, 3);
  for (std::size_t i = 0; i < uniform.layers.size(); ++i)
    bits += static_cast<double>(network.Weight(network.layers()[i]).numel()) * uniform.layers[i].weight.bits;
  RunOptions options;
  options.analyze.weight_bits = {2, 3, 4, 5, 6, 8};
  options.analyze.activation_bits = {3, 8};
  options.problem.pins = {{"*", {}, {3}}, {"first", {8}, {8}}, {"last", {8}, {8}}};
  options.problem.budgets = {ParseBudget(fmt::format("weight_size={}", static_cast<std::int64_t>(bits / 8) + 1))};
  options.resamples = 0;
  return Run(network, data, test, options).plan;
}

/// The plan with other weights in all layers but the first and the last.
Plan WithWeights(Plan plan, NumberType type, int bits) {
  for (std::size_t i = 1; i + 1 < plan.layers.size(); ++i) {
    plan.layers[i].weight.type = type;
    plan.layers[i].weight.bits = bits;
  }
  return plan;
}

/// The setting as the method has it: binary and ternary methods keep its inputs only.
Plan For(TrainingMethod method, const Plan& plan) {
  for (const auto& [type, bits] : {std::pair(NumberType::Binary, 1), std::pair(NumberType::Ternary, 2)}) {
    const Plan typed = WithWeights(plan, type, bits);
    if (SuitsWeights(method, typed.layers[1].weight) && !SuitsWeights(method, plan.layers[1].weight)) return typed;
  }
  return plan;
}

double Accuracy(const Network& network, const QuantizedNetwork& quantized, const Dataset& test) {
  return 100 * Evaluate(network, {quantized}, test)[1].accuracy;
}

void PrintAccuracies(const Arguments& arguments, const Network& network, const Dataset& data, const Dataset& test) {
  DataOptions fewer;
  fewer.samples = 512;
  const Dataset calibration = Dataset::Load(arguments.data, fewer);
  fmt::print("float: {:.2f} % right\n\n| {} epochs |", 100 * Evaluate(network, {}, test)[0].accuracy,
             arguments.train.epochs);
  std::map<std::string, Plan> plans;
  for (const std::string& setting : arguments.settings) {
    plans[setting] = setting == "mixed" ? MixedPlan(network, calibration, test)
                                        : UniformPlan(network, setting.at(1) - '0', setting.at(3) - '0');
    fmt::print(" {} |", setting);
  }
  fmt::print("\n|---|");
  for (std::size_t i = 0; i < plans.size(); ++i) fmt::print("---|");
  fmt::print("\n| post-training |");
  for (const std::string& setting : arguments.settings)
    fmt::print(" {:.2f} |", Accuracy(network, QuantizedNetwork::Create(network, plans[setting], calibration), test));
  fmt::print("\n");
  for (const std::string& method : arguments.methods) {
    fmt::print("| {} |", method);
    for (const std::string& setting : arguments.settings) {
      std::fflush(stdout);
      TrainOptions options = arguments.train;
      options.method = ParseTrainingMethod(method);
      const TrainResult result = Train(arguments.model, {}, For(options.method, plans[setting]), data, options);
      fmt::print(" {:.2f}{} |", Accuracy(network, result.quantized, test), result.diverged ? " (diverged)" : "");
    }
    fmt::print("\n");
  }
}

struct EnoughSteps {};

/// The median over 12 steps, after 3 others.
double StepMilliseconds(const Arguments& arguments, const Plan& plan, const Dataset& data, TrainOptions options) {
  using Clock = std::chrono::steady_clock;
  std::vector<Clock::time_point> times;
  options.held_out = 0;
  options.progress = [&](const Progress& progress) {
    if (progress.stage != "training") return;
    times.push_back(Clock::now());
    if (times.size() == 16) throw EnoughSteps();
  };
  try {
    Train(arguments.model, {}, plan, data, options);
  } catch (const EnoughSteps&) {
  }
  std::vector<double> steps;
  for (std::size_t i = 4; i < times.size(); ++i)
    steps.push_back(std::chrono::duration<double, std::milli>(times[i] - times[i - 1]).count());
  std::nth_element(steps.begin(), steps.begin() + std::ssize(steps) / 2, steps.end());
  return steps[steps.size() / 2];
}

void PrintSteps(const Arguments& arguments, const Network& network, const Dataset& data) {
  Plan in_float = UniformPlan(network, 32, 32);
  for (LayerPlan& layer : in_float.layers) layer.weight = layer.activation = Format().WithBits(32);
  TrainOptions options = arguments.train;
  options.distillation = 0;
  in_float.fold_batch_norm = false;
  const double plain = StepMilliseconds(arguments, in_float, data, options);
  fmt::print("| a step of 128 images | ms | of float |\n|---|---|---|\n| float, batch norm as it is | {:.0f} | 1 |\n",
             plain);
  in_float.fold_batch_norm = true;
  const auto print = [&](const std::string& name, const Plan& plan) {
    const double own = StepMilliseconds(arguments, plan, data, options);
    fmt::print("| {} | {:.0f} | {:.2f} |\n", name, own, own / plain);
    std::fflush(stdout);
  };
  for (const auto folding : {BatchNormFolding::Folded, BatchNormFolding::Frozen, BatchNormFolding::Rescaled,
                             BatchNormFolding::Smoothed, BatchNormFolding::TwoConvolutions}) {
    options.batch_norm = folding;
    print(fmt::format("float, {}", ToString(folding)), in_float);
    print(fmt::format("LSQ W4A4, {}", ToString(folding)), UniformPlan(network, 4, 4));
  }
  options.batch_norm = BatchNormFolding::Frozen;
  for (const std::string& method : arguments.methods) {
    options.method = ParseTrainingMethod(method);
    print(fmt::format("{} W4A4, frozen", method), For(options.method, UniformPlan(network, 4, 4)));
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Arguments arguments = Parse({argv + 1, argv + argc});
    const Network network = Network::Load(arguments.model);
    const Dataset data = Dataset::Load(arguments.data, {}), test = Dataset::Load(arguments.test, {});
    if (arguments.steps)
      PrintSteps(arguments, network, data);
    else
      PrintAccuracies(arguments, network, data, test);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_qat: {}\n", error.what());
    return 2;
  }
  return 0;
}
