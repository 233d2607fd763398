// By how much the resident memory of this process grows at most in a computation over samples, over what it is once it
// was made of one sample: that loads LibTorch's code and makes its kernels. Prints both in bytes, or the error. WHAT:
// float32 or bfloat16 (the curvature of all layers, computed so), measured or linear (the shifts of the output),
// input-fisher.
//
//   curvature_memory MODEL.pt CHANNELS SIZE SAMPLES LIMIT_BYTES WHAT

#include <fmt/format.h>
#include <malloc.h>
#include <torch/types.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <string>
#include <vector>

#include "bitplan/gauss_newton.h"
#include "bitplan/quantize.h"
#include "fisher/input_fisher.h"
#include "shifts/shift_passes.h"

namespace {

/// "VmRSS" or "VmHWM" of this process.
std::int64_t ResidentBytes(const std::string& which) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(which + ":")) return 1024 * std::atoll(line.substr(which.size() + 1).c_str());
  return 0;
}

using bitplan::Dataset;
using bitplan::Network;

void Curvature(const Network& network, const Dataset& data, std::int64_t limit, const std::string& compute) {
  bitplan::GaussNewtonOptions options;
  options.memory_bytes = limit;
  options.compute = bitplan::ParseArithmetic(compute);
  const auto matrix = bitplan::GaussNewton::Compute(network, data, options);
  for (std::size_t i = 0; i < matrix.layers().size(); ++i) {
    matrix.Trace(i);
    matrix.Diagonal(i);
    bitplan::TopEigenpairs(bitplan::GaussNewtonOperator(matrix, {i}), {});
  }
}

/// What every layer's weight at 4 bits, and input where it has one of its own, does to the output.
void Shifts(const Network& network, const Dataset& data, std::int64_t limit, bitplan::Delta delta) {
  std::vector<bitplan::quantize::SingleChoice> choices;
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    choices.push_back({{static_cast<int>(i)}, false, bitplan::DefaultWeightFormat().WithBits(4)});
    if (network.layers()[i].tied_group < 0)
      choices.push_back({{static_cast<int>(i)}, true, bitplan::DefaultActivationFormat().WithBits(4)});
  }
  const auto fitted = bitplan::quantize::SingleChoices::Fit(network, {network, bitplan::DefaultWeightFormat(), {4}},
                                                            choices, data.First(1), {});
  const bitplan::hessian::ShiftPasses passes(network, data, fitted, {delta, limit, {}});
  for (std::int64_t begin = 0; begin < data.size(); begin += passes.chunk())
    passes.Run(begin, std::min(begin + passes.chunk(), data.size()), [](auto&&...) {});
}

/// Of all layers' inputs at 4 bits.
void InputFisher(const Network& network, const Dataset& data, std::int64_t limit) {
  std::vector<bitplan::hessian::InputChoice> choices;
  for (const bitplan::Layer& layer : network.layers())
    choices.push_back({{layer.uses.front().input_site}, bitplan::DefaultActivationFormat().WithBits(4)});
  const auto statistics = bitplan::ActivationStatistics::Collect(network, data, 1);  // not under the limit
  const bitplan::hessian::InputFisherPasses passes(
      network, data, choices, &statistics, {bitplan::ResolveLoss(network, data, bitplan::Loss::Auto, 1), limit, 0, {}});
  for (const auto& chunk : passes.chunks()) passes.Run(chunk);
}

void Run(const Network& network, const Dataset& data, std::int64_t limit, const std::string& what) {
  if (what == "input-fisher") return InputFisher(network, data, limit);
  if (what == "measured" || what == "linear") return Shifts(network, data, limit, bitplan::ParseDelta(what));
  Curvature(network, data, limit, what);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 7) throw std::invalid_argument("MODEL.pt CHANNELS SIZE SAMPLES LIMIT_BYTES WHAT");
    const auto number = [&](int i) { return std::atoll(argv[i]); };
    at::manual_seed(1);
    const auto data = bitplan::Dataset::FromTensors({torch::randn({number(4), number(2), number(3), number(3)})}, {});
    const auto network = bitplan::Network::Load(argv[1]);
    Run(network, data.First(1), number(5), argv[6]);
    malloc_trim(0);
    const std::int64_t before = ResidentBytes("VmRSS");
    std::ofstream("/proc/self/clear_refs") << 5;  // the peak begins anew
    Run(network, data, number(5), argv[6]);
    fmt::print("{} {}\n", before, ResidentBytes("VmHWM") - before);
  } catch (const std::exception& error) {
    fmt::print("error: {}\n", error.what());
  }
  return 0;
}
