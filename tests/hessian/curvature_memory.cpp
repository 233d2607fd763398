// By how much the resident memory of this process grows at most while the curvature of all layers is computed, over what it is
// once one sample's has been: that loads LibTorch's code and makes its kernels. Prints both in bytes, or the error.
//
//   curvature_memory MODEL.pt CHANNELS SIZE SAMPLES LIMIT_BYTES COMPUTE

#include <fmt/format.h>
#include <malloc.h>
#include <torch/torch.h>

#include <cstdlib>
#include <exception>
#include <fstream>
#include <string>

#include "bitplan/gauss_newton.h"

namespace {

/// "VmRSS" or "VmHWM" of this process.
std::int64_t ResidentBytes(const std::string& which) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(which + ":")) return 1024 * std::atoll(line.substr(which.size() + 1).c_str());
  return 0;
}

void RunAll(const bitplan::Network& network, const bitplan::Dataset& data, const bitplan::GaussNewtonOptions& options) {
  const auto matrix = bitplan::GaussNewton::Compute(network, data, options);
  for (std::size_t i = 0; i < matrix.layers().size(); ++i) {
    matrix.Trace(i);
    matrix.Diagonal(i);
    bitplan::TopEigenpairs(bitplan::GaussNewtonOperator(matrix, {i}), {});
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 7) throw std::invalid_argument("MODEL.pt CHANNELS SIZE SAMPLES LIMIT_BYTES COMPUTE");
    const auto number = [&](int i) { return std::atoll(argv[i]); };
    torch::manual_seed(1);
    const auto data = bitplan::Dataset::FromTensors({torch::randn({number(4), number(2), number(3), number(3)})}, {});
    const auto network = bitplan::Network::Load(argv[1]);
    bitplan::GaussNewtonOptions options;
    options.memory_bytes = number(5);
    options.compute = bitplan::ParsePrecision(argv[6]);
    RunAll(network, data.First(1), options);
    malloc_trim(0);
    const std::int64_t before = ResidentBytes("VmRSS");
    std::ofstream("/proc/self/clear_refs") << 5;  // the peak begins anew
    RunAll(network, data, options);
    fmt::print("{} {}\n", before, ResidentBytes("VmHWM") - before);
  } catch (const std::exception& error) {
    fmt::print("error: {}\n", error.what());
  }
  return 0;
}
