// What each number format and each calibrator costs in accuracy when a whole network gets it, with and without the
// channel correction, and what each correction recovers. Tables in Markdown, for docs/formats.md and
// docs/corrections.md.
//
//   bench_ptq MODEL.pt DATA TEST [corrections]
//
// Ranges and corrections are found on 512 samples of DATA, accuracy on TEST.

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "bitplan/evaluate.h"
#include "bitplan/process.h"
#include "bitplan/quantize.h"

namespace {

using namespace bitplan;

struct Quantizers {
  std::string name;
  Format weight, activation;
};

Format Of(NumberType type, int bits, Granularity granularity = Granularity::Channel, int group = 0,
          ScaleType scales = ScaleType::Float32, Calibrator calibrator = Calibrator::Mse) {
  Format format;
  format.type = type;
  format.bits = bits;
  format.granularity = granularity;
  format.group_size = group;
  format.scale_type = scales;
  format.calibrator = calibrator;
  return format;
}

Format Float32() { return Format().WithBits(32); }

std::vector<Quantizers> WeightFormats() {
  const auto mx = [](NumberType type, int bits) {
    return Of(type, bits, Granularity::Block, 32, ScaleType::PowerOfTwo, Calibrator::Max);
  };
  std::vector<Quantizers> all;
  for (const int bits : {8, 4, 3, 2})
    all.push_back({fmt::format("int{}, a channel", bits), Of(NumberType::Integer, bits), Float32()});
  all.push_back({"int4, the tensor", Of(NumberType::Integer, 4, Granularity::Tensor), Float32()});
  all.push_back({"int4, blocks of 32", Of(NumberType::Integer, 4, Granularity::Block, 32), Float32()});
  all.push_back({"int4, a channel, power-of-two scales",
                 Of(NumberType::Integer, 4, Granularity::Channel, 0, ScaleType::PowerOfTwo), Float32()});
  all.push_back({"E4M3, a channel", Of(NumberType::E4M3, 8), Float32()});
  all.push_back({"E5M2, a channel", Of(NumberType::E5M2, 8), Float32()});
  all.push_back({"E2M1, a channel", Of(NumberType::E2M1, 4), Float32()});
  all.push_back({"MXFP8 (E4M3)", mx(NumberType::E4M3, 8), Float32()});
  all.push_back({"MXINT8", mx(NumberType::Integer, 8), Float32()});
  all.push_back({"MXFP4", mx(NumberType::E2M1, 4), Float32()});
  all.push_back({"NF4, blocks of 64, max",
                 Of(NumberType::Nf4, 4, Granularity::Block, 64, ScaleType::Float32, Calibrator::Max), Float32()});
  all.push_back({"the same, double-quantized",
                 Of(NumberType::Nf4, 4, Granularity::Block, 64, ScaleType::DoubleQuantized, Calibrator::Max),
                 Float32()});
  all.push_back({"NF4, a channel, mse", Of(NumberType::Nf4, 4), Float32()});
  for (const int bits : {5, 4, 3})
    all.push_back({fmt::format("powers of two, {} bits", bits),
                   Of(NumberType::PowerOfTwo, bits, Granularity::Channel, 0, ScaleType::PowerOfTwo), Float32()});
  all.push_back({"ternary", Of(NumberType::Ternary, 2), Float32()});
  all.push_back({"binary", Of(NumberType::Binary, 1), Float32()});
  return all;
}

std::vector<Quantizers> ActivationCalibrators(int bits) {
  std::vector<Quantizers> all;
  for (const Calibrator calibrator :
       {Calibrator::Max, Calibrator::AverageMax, Calibrator::MovingAverage, Calibrator::Deviations,
        Calibrator::Percentile, Calibrator::Mse, Calibrator::Entropy, Calibrator::Laplace, Calibrator::Gauss,
        Calibrator::Dynamic}) {
    Format activation = DefaultActivationFormat().WithBits(bits);
    activation.calibrator = calibrator;
    all.push_back({std::string(ToString(calibrator)), Of(NumberType::Integer, 8), activation});
  }
  return all;
}

Plan PlanOf(const Network& network, const Quantizers& quantizers, bool correction) {
  Plan plan;
  plan.corrections.output = correction ? OutputCorrection::Channel : OutputCorrection::None;
  for (const Layer& layer : network.layers())
    plan.layers.push_back({layer.name, quantizers.weight, quantizers.activation});
  return plan;
}

void PrintTable(const std::string& title, const std::vector<Quantizers>& rows, const Network& network,
                const Dataset& data, const Dataset& test) {
  const Calibration calibration = Calibration::Collect(network, data, true);
  const std::filesystem::path packed = std::filesystem::temp_directory_path() / "bench_ptq.safetensors";
  fmt::print(
      "| {} | packed bytes | KL | right | KL, no correction | right, no correction |\n|---|---|---|---|---|---|\n",
      title);
  for (const Quantizers& row : rows) {
    const auto corrected = QuantizedNetwork::Create(network, PlanOf(network, row, true), calibration);
    const auto plain = QuantizedNetwork::Create(network, PlanOf(network, row, false), calibration);
    corrected.SavePacked(packed);
    const std::vector<Evaluation> results = Evaluate(network, {corrected, plain}, test);
    fmt::print("| {} | {} | {:.4f} | {} | {:.4f} | {} |\n", row.name, std::filesystem::file_size(packed),
               results[1].divergence, results[1].correct, results[2].divergence, results[2].correct);
    std::fflush(stdout);
  }
  std::filesystem::remove(packed);
  fmt::print("\n");
}

/// One line a correction; the plan's formats are `weight` and `activation` throughout.
void PrintCorrections(const std::string& title, const Format& weight, const Format& activation,
                      const std::vector<std::pair<std::string, Corrections>>& rows, const Network& network,
                      const Dataset& data, const Dataset& test) {
  fmt::print("| {} | KL | right | seconds |\n|---|---|---|---|\n", title);
  for (const auto& [name, corrections] : rows) {
    Plan plan = PlanOf(network, {name, weight, activation}, false);
    plan.corrections = corrections;
    plan.fold_batch_norm = network.batch_norm_folded();
    const auto start = std::chrono::steady_clock::now();
    const auto quantized = QuantizedNetwork::Create(network, plan, data);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const Evaluation result = Evaluate(network, {quantized}, test)[1];
    fmt::print("| {} | {:.4f} | {} | {:.1f} |\n", name, result.divergence, result.correct, seconds);
    std::fflush(stdout);
  }
  fmt::print("\n");
}

Corrections With(OutputCorrection output, Rounding rounding = Rounding::Nearest,
                 Rescaling rescaling = Rescaling::None) {
  Corrections corrections;
  corrections.output = output;
  corrections.rounding = rounding;
  corrections.rescaling = rescaling;
  return corrections;
}

/// Every correction alone, and those that go together.
std::vector<std::pair<std::string, Corrections>> AllCorrections() {
  using enum OutputCorrection;
  return {{"none", With(None)},
          {"equalization", With(None, Rounding::Nearest, Rescaling::Equalization)},
          {"SmoothQuant", With(None, Rounding::Nearest, Rescaling::SmoothQuant)},
          {"AWQ", With(None, Rounding::Nearest, Rescaling::ActivationAware)},
          {"bias correction, from data", With(Bias)},
          {"bias correction, from batch norm", With(BiasFromBatchNorm)},
          {"channel correction (default)", With(Channel)},
          {"AdaRound", With(None, Rounding::AdaRound)},
          {"GPTQ", With(None, Rounding::Gptq)},
          {"equalization, bias correction", With(Bias, Rounding::Nearest, Rescaling::Equalization)},
          {"AdaRound, channel correction", With(Channel, Rounding::AdaRound)},
          {"GPTQ, channel correction", With(Channel, Rounding::Gptq)},
          {"equalization, AdaRound, channel correction", With(Channel, Rounding::AdaRound, Rescaling::Equalization)}};
}

}  // namespace

int main(int argc, char** argv) {
  bitplan::ShareProcessors(argv);
  bitplan::KeepFreedMemory();
  try {
    if (argc != 4 && !(argc == 5 && argv[4] == std::string("corrections")))
      throw std::invalid_argument("MODEL.pt DATA TEST [corrections]");
    const Network network = Network::Load(argv[1]);
    DataOptions options;
    options.samples = 512;
    const Dataset data = Dataset::Load(argv[2], options), test = Dataset::Load(argv[3], {});
    const Evaluation of_float = Evaluate(network, {}, test).front();
    fmt::print("{} of {} right in float\n\n", of_float.correct, of_float.total);
    const Format per_tensor = Of(NumberType::Integer, 4, Granularity::Tensor), three = Of(NumberType::Integer, 3);
    const Format four_bit_inputs = DefaultActivationFormat().WithBits(4);
    PrintCorrections("weights int4, one scale a tensor", per_tensor, Float32(), AllCorrections(), network, data, test);
    PrintCorrections("weights int3, one scale a channel", three, Float32(), AllCorrections(), network, data, test);
    PrintCorrections("weights int4 a channel, inputs int4", Of(NumberType::Integer, 4), four_bit_inputs,
                     AllCorrections(), network, data, test);
    NetworkOptions unfolded;
    unfolded.fold_batch_norm = false;
    const Network with_norms = Network::Load(argv[1], unfolded);
    PrintCorrections("weights int4, one scale a tensor, batch norm not folded", per_tensor, Float32(),
                     {{"none", With(OutputCorrection::None)},
                      {"channel correction", With(OutputCorrection::Channel)},
                      {"batch norm statistics", With(OutputCorrection::BatchNorm)}},
                     with_norms, data, test);
    if (argc == 5) return 0;
    PrintTable("weights (inputs in float)", WeightFormats(), network, data, test);
    PrintTable("inputs at 8 bits, by calibrator (weights at 8)", ActivationCalibrators(8), network, data, test);
    PrintTable("inputs at 4 bits, by calibrator (weights at 8)", ActivationCalibrators(4), network, data, test);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_ptq: {}\n", error.what());
    return 2;
  }
  return 0;
}
