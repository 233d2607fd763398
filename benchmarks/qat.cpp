// What training under a plan is worth, and what a step of it costs. Tables in Markdown, for docs/training.md.
//
//   bench_qat MODEL.pt DATA TEST [--epochs=N] [--methods=lsq,pact] [--settings=W4A4,mixed] [--learning-rate=X]
//   [--batch-norm=NAME] [--distillation=X] [--optimizer=NAME]
//   bench_qat MODEL.pt DATA TEST steps
//
// Accuracies: every method trains every setting for the same epochs on DATA, in batches of 128 with crops and flips;
// right answers on TEST and KL to the float network there, also of post-training quantization without and with the
// channel correction. The first and the last layer have 8 bits; mixed is the best plan of the size of W3A3 with 3-bit
// inputs. Methods of binary and ternary weights have a table of their own, by their inputs. Steps: milliseconds of a
// training step, in float and quantized, side by side.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "bitplan/evaluate.h"
#include "bitplan/process.h"
#include "bitplan/run.h"
#include "bitplan/train.h"

namespace {

using namespace bitplan;

struct Arguments {
  std::string model, data, test;
  std::vector<std::string> methods = {"fixed",
                                      "moving-average",
                                      "dorefa",
                                      "pact",
                                      "lsq",
                                      "lsq-plus",
                                      "qil",
                                      "bwn",
                                      "binary-connect",
                                      "binary-connect-stochastic",
                                      "twn",
                                      "ttq"};
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
    else if (name == "--optimizer")
      arguments.train.optimizer = ParseOptimizer(value);
    else if (name == "--distillation")
      arguments.train.distillation = std::stod(value);
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

/// The binary or ternary weights that the method is for; none: it is for integers.
std::optional<std::pair<NumberType, int>> WeightsOf(TrainingMethod method) {
  if (SuitsWeights(method, DefaultWeightFormat().WithBits(4))) return std::nullopt;
  Format binary = DefaultWeightFormat();
  binary.type = NumberType::Binary;
  binary.bits = 1;
  return SuitsWeights(method, binary) ? std::pair(NumberType::Binary, 1) : std::pair(NumberType::Ternary, 2);
}

std::string Measured(const Network& network, const QuantizedNetwork& quantized, const Dataset& test) {
  const Evaluation result = Evaluate(network, {quantized}, test)[1];
  return fmt::format("{:.2f}, {:.3f}", 100 * result.accuracy, result.divergence);
}

/// A table with a row a method and a column a plan.
class Accuracies {
 public:
  Accuracies(const Arguments& arguments, const Network& unfolded, const Network& network, const Dataset& data,
             const Dataset& test)
      : arguments_(arguments), unfolded_(unfolded), network_(network), data_(data), test_(test) {}

  void Head(const std::string& title, const std::vector<std::string>& columns) const {
    fmt::print("\n| {} | {} |\n|---|", title, fmt::join(columns, " | "));
    for (std::size_t i = 0; i < columns.size(); ++i) fmt::print("---|");
    fmt::print("\n");
  }

  void PostTraining(const std::string& name, const std::vector<Plan>& plans, OutputCorrection correction,
                    const Dataset& calibration) const {
    fmt::print("| {} |", name);
    for (Plan plan : plans) {
      plan.corrections.output = correction;
      fmt::print(" {} |", Measured(network_, QuantizedNetwork::Create(network_, plan, calibration), test_));
    }
    fmt::print("\n");
  }

  void Trained(const std::string& method, const std::vector<Plan>& plans) const {
    fmt::print("| {} |", method);
    TrainOptions options = arguments_.train;
    options.method = ParseTrainingMethod(method);
    if (!LevelsFollowWeight(options.method) && options.batch_norm == BatchNormFolding::Rescaled)
      options.batch_norm = BatchNormFolding::Smoothed;
    for (const Plan& plan : plans) {
      std::fflush(stdout);
      const TrainResult result = Train(unfolded_, plan, data_, options);
      fmt::print(" {}{} |", Measured(network_, result.quantized, test_), result.diverged ? " (diverged)" : "");
    }
    fmt::print("\n");
    std::fflush(stdout);
  }

 private:
  const Arguments& arguments_;
  const Network &unfolded_, &network_;
  const Dataset &data_, &test_;
};

void PrintAccuracies(const Arguments& arguments, const Network& unfolded, const Dataset& data, const Dataset& test) {
  const Network network = unfolded.WithBatchNormFolded();
  DataOptions fewer;
  fewer.samples = 512;
  const Dataset calibration = Dataset::Load(arguments.data, fewer);
  fmt::print("float: {:.2f} % right\n", 100 * Evaluate(network, {}, test)[0].accuracy);
  std::vector<Plan> plans;
  for (const std::string& setting : arguments.settings)
    plans.push_back(setting == "mixed" ? MixedPlan(network, calibration, test)
                                       : UniformPlan(network, setting.at(1) - '0', setting.at(3) - '0'));
  const Accuracies table(arguments, unfolded, network, data, test);
  table.Head(fmt::format("{} epochs", arguments.train.epochs), arguments.settings);
  table.PostTraining("post-training", plans, OutputCorrection::None, calibration);
  table.PostTraining("the same, corrected", plans, OutputCorrection::Channel, calibration);
  for (const std::string& method : arguments.methods)
    if (!WeightsOf(ParseTrainingMethod(method))) table.Trained(method, plans);
  table.Head("binary, ternary weights", {"A4", "A3"});
  for (const std::string& method : arguments.methods)
    if (const auto weights = WeightsOf(ParseTrainingMethod(method)))
      table.Trained(method, {WithWeights(UniformPlan(network, 4, 4), weights->first, weights->second),
                             WithWeights(UniformPlan(network, 3, 3), weights->first, weights->second)});
}

struct EnoughSteps {};

/// The median over 12 steps, after 3 others.
double StepMilliseconds(const Network& unfolded, const Plan& plan, const Dataset& data, TrainOptions options) {
  using Clock = std::chrono::steady_clock;
  std::vector<Clock::time_point> times;
  options.held_out = 0;
  options.progress = [&](const Progress& progress) {
    if (progress.stage != "training") return;
    times.push_back(Clock::now());
    if (times.size() == 16) throw EnoughSteps();
  };
  try {
    Train(unfolded, plan, data, options);
  } catch (const EnoughSteps&) {
  }
  std::vector<double> steps;
  for (std::size_t i = 4; i < times.size(); ++i)
    steps.push_back(std::chrono::duration<double, std::milli>(times[i] - times[i - 1]).count());
  std::nth_element(steps.begin(), steps.begin() + std::ssize(steps) / 2, steps.end());
  return steps[steps.size() / 2];
}

void PrintSteps(const Arguments& arguments, const Network& unfolded, const Dataset& data) {
  const Network network = unfolded.WithBatchNormFolded();
  Plan in_float = UniformPlan(network, 32, 32);
  for (LayerPlan& layer : in_float.layers) layer.weight = layer.activation = Format().WithBits(32);
  TrainOptions options = arguments.train;
  options.distillation = 0;
  in_float.fold_batch_norm = false;
  const double plain = StepMilliseconds(unfolded, in_float, data, options);
  fmt::print("| a step of 128 images | ms | of float |\n|---|---|---|\n| float, batch norm as it is | {:.0f} | 1 |\n",
             plain);
  in_float.fold_batch_norm = true;
  const auto print = [&](const std::string& name, const Plan& plan) {
    const double own = StepMilliseconds(unfolded, plan, data, options);
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
    const Plan plan = UniformPlan(network, 4, 4);
    const auto weights = WeightsOf(options.method);
    print(fmt::format("{} W4A4, frozen", method), weights ? WithWeights(plan, weights->first, weights->second) : plan);
  }
}

}  // namespace

int main(int argc, char** argv) {
  bitplan::ShareProcessors(argv);
  bitplan::KeepFreedMemory();
  try {
    const Arguments arguments = Parse({argv + 1, argv + argc});
    NetworkOptions unfolded;
    unfolded.fold_batch_norm = false;
    const Network network = Network::Load(arguments.model, unfolded);
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
