// What the loss model of ResNet-20 costs: 20 layers at 5 widths, on the bundled images; ratios to what they are bought
// with, side by side in one run.
//
//   bench_loss_model [IMAGES=128] [ROUNDS=3] [SCALING_PREFIX]
//
// With a prefix it also writes PREFIX.csv and PREFIX.svg: time against the number of images and of choices.

#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>
#include <torch/nn/functional/loss.h>
#include <torch/optim/sgd.h>
#include <torch/types.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "bitplan/analyze.h"
#include "bitplan/data.h"
#include "bitplan/files.h"
#include "bitplan/network.h"
#include "bitplan/plot.h"
#include "bitplan/process.h"
#include "gauss_newton/gradient_pass.h"
#include "quantize/single_choices.h"
#include "shifts/shift_passes.h"

namespace {

using bitplan::Dataset;
using bitplan::Delta;
using bitplan::Network;
using bitplan::quantize::SingleChoice;
using bitplan::quantize::SingleChoices;
using Call = std::function<void()>;

constexpr std::int64_t kBatch = 128;  // of training
constexpr std::int64_t kChunk = 64;   // what bitplan works on at once
constexpr int kSteps = 15;

double Seconds(const Call& call) {
  const auto start = std::chrono::steady_clock::now();
  call();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Medians of some calls, taken in turn; the first round only warms up.
std::vector<double> Medians(int rounds, const std::vector<Call>& calls) {
  std::vector<std::vector<double>> seconds(calls.size());
  for (int round = 0; round <= rounds; ++round)
    for (std::size_t i = 0; i < calls.size(); ++i) {
      const double taken = Seconds(calls[i]);
      if (round > 0) seconds[i].push_back(taken);
    }
  std::vector<double> medians;
  for (std::vector<double>& of_call : seconds) {
    std::sort(of_call.begin(), of_call.end());
    medians.push_back(of_call[of_call.size() / 2]);
  }
  return medians;
}

/// The samples in parts of at most `size`.
void ForEachPart(const Dataset& data, std::int64_t size, const std::function<void(const bitplan::Batch&)>& use) {
  for (std::int64_t begin = 0; begin < data.size(); begin += size)
    use(data.Get(begin, std::min(begin + size, data.size())));
}

/// One step of plain training over all samples: batch norm by the batch, all parameters, SGD.
class Training {
 public:
  explicit Training(const std::filesystem::path& model)
      : module_(torch::jit::load(model.string())), optimizer_(Parameters(module_), 1e-6) {
    module_.train();
  }

  void Step(const Dataset& data) {
    ForEachPart(data, kBatch, [&](const bitplan::Batch& batch) {
      optimizer_.zero_grad();
      const at::Tensor output = module_.forward({batch.inputs[0]}).toTensor();
      torch::nn::functional::cross_entropy(output, batch.labels).backward();
      optimizer_.step();
    });
  }

 private:
  static std::vector<at::Tensor> Parameters(const torch::jit::Module& module) {
    std::vector<at::Tensor> parameters;
    for (const at::Tensor& parameter : module.parameters()) parameters.push_back(parameter);
    return parameters;
  }

  torch::jit::Module module_;
  torch::optim::SGD optimizer_;
};

/// δz of all choices, and what follows: every measure of shifts, the shifts themselves, and Q over all pairs of
/// choices.
void LossModel(const Network& network, const Dataset& data, Delta delta) {
  bitplan::AnalyzeOptions options;
  options.measures = {bitplan::Measure::LogitShift, bitplan::Measure::Divergence, bitplan::Measure::Quadratic,
                      bitplan::Measure::SingleLoss};
  options.keep_shifts = true;
  options.delta = delta;
  bitplan::Sensitivity sensitivity = bitplan::Analyze(network, data, options);
  bitplan::OutputShifts& table = *sensitivity.shifts;
  const auto samples = static_cast<std::int64_t>(table.samples), classes = static_cast<std::int64_t>(table.classes);
  const at::Tensor z = torch::from_blob(table.logits.data(), {samples, classes});
  const at::Tensor shifts = torch::from_blob(
      table.shifts.data(), {static_cast<std::int64_t>(table.shifts.size() / table.logits.size()), samples, classes});
  // u = rᵀ δz with r = √p (e − p), of every choice; Q = UᵀU / N.
  const at::Tensor p = z.softmax(1);
  const at::Tensor u = ((shifts - (shifts * p).sum(2, /*keepdim=*/true)) * p.sqrt()).flatten(1);
  const at::Tensor q = at::mm(u, u.t()) / samples;
  if (!q.isfinite().all().item<bool>()) throw std::runtime_error("Q is not finite");
}

std::vector<SingleChoice> Choices(const Network& network, const std::vector<int>& widths) {
  std::vector<SingleChoice> choices;
  for (std::size_t i = 0; i < network.layers().size(); ++i)
    for (const int bits : widths)
      choices.push_back({{static_cast<int>(i)}, false, bitplan::DefaultWeightFormat().WithBits(bits)});
  return choices;
}

SingleChoices Fitted(const Network& network, const Dataset& data, const std::vector<int>& widths) {
  return SingleChoices::Fit(network, {network, bitplan::DefaultWeightFormat(), widths}, Choices(network, widths), data,
                            {});
}

void Shifts(const Network& network, const Dataset& data, const SingleChoices& choices, Delta delta) {
  bitplan::hessian::ShiftPassOptions options;
  options.delta = delta;
  const bitplan::hessian::ShiftPasses passes(network, data, choices, options);
  for (std::int64_t begin = 0; begin < data.size(); begin += passes.chunk())
    passes.Run(begin, std::min(begin + passes.chunk(), data.size()), [](auto&&...) {});
}

/// The arithmetic of linear shifts alone: passes forward and backward, products of what layers read with the changes of
/// their weights, and the products of these with the gradients.
void LinearArithmetic(const bitplan::hessian::GradientPass& pass, const Dataset& data,
                      const std::vector<at::Tensor>& changes, std::size_t widths) {
  ForEachPart(data, kChunk, [&](const bitplan::Batch& batch) {
    const std::int64_t samples = batch.inputs[0].size(0);
    const at::Tensor basis = torch::eye(10).unsqueeze(1).expand({10, samples, 10}).contiguous();
    const auto runs = pass.Run(batch.inputs, basis);
    for (std::size_t layer = 0; layer < runs.size(); ++layer)
      for (std::size_t k = 0; k < widths; ++k) {
        const bitplan::hessian::UseRun& run = runs[layer].front();
        at::bmm(run.gradients.flatten(2), (*run.product)(run.x, changes[layer * widths + k]).flatten(1).unsqueeze(2));
      }
  });
}

void Scaling(const Network& network, const Dataset& all, const std::string& prefix) {
  std::vector<std::vector<bitplan::Cell>> rows;
  bitplan::Chart of_images, of_choices;
  of_images.title = "5 widths a layer";
  of_images.x_label = "images";
  of_choices.title = "128 images";
  of_choices.x_label = "choices";
  of_images.y_label = of_choices.y_label = "seconds";
  for (const Delta delta : {Delta::Linear, Delta::Measured}) {
    bitplan::Series images{std::string(ToString(delta)), {}, {}, {}, bitplan::SeriesKind::Line}, choices = images;
    const auto add = [&](bitplan::Series& series, double x, std::int64_t n, const std::vector<int>& widths) {
      const Dataset data = all.First(n);
      const SingleChoices fitted = Fitted(network, data, widths);
      const double seconds = Medians(1, {[&] { Shifts(network, data, fitted, delta); }})[0];
      series.x.push_back(x);
      series.y.push_back(seconds);
      rows.push_back({std::string(ToString(delta)), n, static_cast<std::int64_t>(fitted.size()), seconds});
    };
    for (const std::int64_t n : {64, 128, 256, 512}) add(images, static_cast<double>(n), n, {2, 3, 4, 6, 8});
    for (const std::vector<int>& widths :
         std::vector<std::vector<int>>{{4}, {4, 8}, {2, 4, 8}, {2, 3, 4, 6, 8}, {2, 3, 4, 5, 6, 7, 8, 16}})
      add(choices, static_cast<double>(widths.size() * network.layers().size()), 128, widths);
    of_images.series.push_back(images);
    of_choices.series.push_back(choices);
  }
  bitplan::WriteFile(prefix + ".csv", bitplan::ToCsv({"delta", "images", "choices", "seconds"}, rows));
  bitplan::WriteFile(prefix + ".svg", bitplan::ToSvg({of_images, of_choices}, 2));
}

}  // namespace

int main(int argc, char** argv) {
  bitplan::ShareProcessors(argv);
  bitplan::KeepFreedMemory();
  try {
    const std::filesystem::path folder = std::filesystem::path(BITPLAN_EXAMPLES_DIR) / "cifar10";
    const Network network = Network::Load(folder / "resnet20.pt");
    const Dataset all = Dataset::Load("cifar10:" + (folder / "train.bin").string(), {});
    const Dataset data = all.First(argc > 1 ? std::atoll(argv[1]) : 128);
    const int rounds = argc > 2 ? std::atoi(argv[2]) : 3;
    const std::vector<int> widths = {2, 3, 4, 6, 8};
    const SingleChoices choices = Fitted(network, data, widths);
    fmt::print("ResNet-20, {} images, {} choices, {} threads, medians of {} rounds\n", data.size(), choices.size(),
               at::get_num_threads(), rounds);

    Training training(folder / "resnet20.pt");
    const auto train = [&] {
      for (int step = 0; step < kSteps; ++step) training.Step(data);
    };
    const std::vector<double> model = Medians(rounds, {train, [&] { LossModel(network, data, Delta::Linear); },
                                                       [&] { LossModel(network, data, Delta::Measured); }});
    fmt::print(
        "(a) {} training steps {:.2f} s; loss model, linear {:.2f} s, {:.2f} of them; measured {:.2f} s, {:.2f} of "
        "them\n",
        kSteps, model[0], model[1], model[1] / model[0], model[2], model[2] / model[0]);

    std::vector<int> layers;
    std::vector<at::Tensor> changes;
    for (std::size_t i = 0; i < network.layers().size(); ++i) layers.push_back(static_cast<int>(i));
    for (std::size_t i = 0; i < choices.size(); ++i) {
      const bitplan::Layer& layer = network.layers()[static_cast<std::size_t>(choices[i].layers.front())];
      changes.push_back(choices.State(i).parameters[static_cast<std::size_t>(layer.weight)] - network.Weight(layer));
    }
    const bitplan::hessian::GradientPass pass(network, layers, data.Get(0, 2).inputs);
    const auto full = [&] {
      const at::NoGradGuard no_gradient;
      for (std::size_t i = 0; i < choices.size(); ++i)
        ForEachPart(data, kChunk, [&](const bitplan::Batch& batch) { network.Forward(batch.inputs); });
    };
    const auto arithmetic = [&] {
      const at::NoGradGuard no_gradient;
      LinearArithmetic(pass, data, changes, widths.size());
    };
    const std::vector<double> parts =
        Medians(rounds, {[&] { Shifts(network, data, choices, Delta::Linear); }, arithmetic,
                         [&] { Shifts(network, data, choices, Delta::Measured); }, full});
    fmt::print("(b) linear shifts {:.2f} s; their passes and products alone {:.2f} s: {:.2f}\n", parts[0], parts[1],
               parts[0] / parts[1]);
    fmt::print("(c) measured shifts {:.2f} s; as many full forwards {:.2f} s: {:.2f}\n", parts[2], parts[3],
               parts[2] / parts[3]);
    if (argc > 3) Scaling(network, all, argv[3]);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_loss_model: {}\n", error.what());
    return 2;
  }
  return 0;
}
