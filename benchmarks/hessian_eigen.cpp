// Top Hessian eigenvalue of every layer of the bundled ResNet-20 and all traces: time, Hessian-vector products,
// convergence.
//
//   hessian_eigen [FOLDER] [IMAGES] [BATCH_SIZE]     FOLDER holds resnet20.pt and train.bin

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <string>

#include "bitplan/curvature.h"
#include "bitplan/data.h"
#include "bitplan/network.h"

namespace {

double SecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void MeasureEigenvalues(const bitplan::LossFunction& loss) {
  const auto& layers = loss.network().layers();
  fmt::print("{:<20} {:>9} {:>12} {:>10} {:>9} {:>8} {:>12}\n", "layer", "weights", "eigenvalue", "residual",
             "products", "seconds", "s / product");
  double seconds = 0;
  int products = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const auto start = std::chrono::steady_clock::now();
    const bitplan::HessianOperator hessian(loss, {.layers = {static_cast<int>(i)}});
    const bitplan::Eigenpairs pairs = bitplan::TopEigenpairs(hessian, {});
    const double spent = SecondsSince(start);
    fmt::print("{:<20} {:>9} {:>12.4e} {:>10.1e} {:>9} {:>8.2f} {:>12.3f}{}\n", layers[i].name, hessian.rows(),
               pairs.values[0], pairs.residuals[0], pairs.products, spent, spent / pairs.products,
               pairs.converged ? "" : "  not converged");
    seconds += spent;
    products += pairs.products;
  }
  fmt::print("{:<20} {:>9} {:>12} {:>10} {:>9} {:>8.2f} {:>12.3f}\n", "all", "", "", "", products, seconds,
             seconds / products);
}

void MeasureTraces(const bitplan::LossFunction& loss) {
  bitplan::Variables all;
  for (std::size_t i = 0; i < loss.network().layers().size(); ++i) all.layers.push_back(static_cast<int>(i));
  const auto start = std::chrono::steady_clock::now();
  const auto traces = bitplan::Traces(loss, all, {});
  double worst = 0;
  int significant = 0;
  for (const auto& trace : traces) {
    worst = std::max(worst, trace.standard_error / std::abs(trace.value));
    significant += trace.significant ? 1 : 0;
  }
  fmt::print(
      "traces of all layers: {} probes, {:.2f} s; {} of {} significant, largest relative standard error {:.2f}\n",
      traces[0].probes, SecondsSince(start), significant, traces.size(), worst);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::string folder = argc > 1 ? argv[1] : BITPLAN_EXAMPLES_DIR "/cifar10";
    const std::int64_t images = argc > 2 ? std::atoll(argv[2]) : 128;
    const std::int64_t batch_size = argc > 3 ? std::atoll(argv[3]) : images;
    const auto data = bitplan::Dataset::Load("cifar10:" + folder + "/train.bin", {}).First(images);
    const bitplan::LossFunction loss(bitplan::Network::Load(folder + "/resnet20.pt"), data, bitplan::Loss::Auto,
                                     batch_size);
    fmt::print("{} images in {} batch(es)\n", images, loss.batches());
    MeasureEigenvalues(loss);
    MeasureTraces(loss);
  } catch (const std::exception& error) {
    fmt::print(stderr, "hessian_eigen: {}\n", error.what());
    return 2;
  }
  return 0;
}
