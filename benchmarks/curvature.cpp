// Top Gauss-Newton eigenvalue of every layer, from one set of backward passes; and how the time is spent.
//
//   bench_curvature MODEL.pt DATA IMAGES [TOLERANCE] [ROWS] [JSON] [COMPUTE] [MEMORY_BYTES]
//   bench_curvature scaling MODEL.pt DATA NAME     time against the number of images, to NAME.csv and NAME.svg

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <string>
#include <vector>

#include "bitplan/data.h"
#include "bitplan/gauss_newton.h"
#include "bitplan/network.h"
#include "bitplan/plot.h"
#include "bitplan/process.h"

namespace {

double SecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

struct Timing {
  double seconds = 0, passes = 0;
  std::string json;
};

Timing Measure(const bitplan::Network& network, const bitplan::Dataset& data,
               const bitplan::GaussNewtonOptions& options, const bitplan::EigenOptions& eigen) {
  Timing timing;
  const auto start = std::chrono::steady_clock::now();
  const auto matrix = bitplan::GaussNewton::Compute(network, data, options);
  timing.passes = SecondsSince(start);
  fmt::print("{} images, {} rows, {:.2g} of the curvature cut, {}: forward and backward passes {:.2f} s\n", data.size(),
             matrix.rows(), matrix.cut(), bitplan::ToString(options.compute), timing.passes);
  int products = 0;
  double difference = 0;
  for (std::size_t i = 0; i < matrix.layers().size(); ++i) {
    const auto begin = std::chrono::steady_clock::now();
    const auto pairs = bitplan::TopEigenpairs(bitplan::GaussNewtonOperator(matrix, {i}), eigen);
    const std::string& name = network.layers()[static_cast<std::size_t>(matrix.layers()[i])].name;
    fmt::print("{:<20} {:>9} weights {:>12.6g} {:>4} products {:>7.3f} s{}\n", name, matrix.elements(i),
               pairs.values[0], pairs.products, SecondsSince(begin), pairs.converged ? "" : "  not converged");
    timing.json += fmt::format("\"{}\": {}, ", name, pairs.values[0]);
    products += pairs.products;
    difference = std::max(difference, matrix.FromFloat32(i).rows);
  }
  timing.seconds = SecondsSince(start);
  fmt::print("all layers: {:.2f} s, {} products {:.2f} s; rows differ from float32 by {:.2g} at most\n", timing.seconds,
             products, timing.seconds - timing.passes, difference);
  return timing;
}

void MeasureScaling(const bitplan::Network& network, const std::string& spec, const std::string& name) {
  std::vector<std::vector<bitplan::Cell>> rows;
  bitplan::Chart chart{"Top eigenvalues of all layers", "images", "seconds", bitplan::AxisScale::Log,
                       bitplan::AxisScale::Log,         {}};
  for (const auto arithmetic : {bitplan::Arithmetic::Float32, bitplan::Arithmetic::BFloat16}) {
    bitplan::Series series{std::string(bitplan::ToString(arithmetic)), {}, {}, {}, bitplan::SeriesKind::Line};
    for (const std::int64_t images : {16, 32, 64, 128, 256, 512}) {
      bitplan::GaussNewtonOptions options;
      options.compute = arithmetic;
      const Timing timing = Measure(network, bitplan::Dataset::Load(spec, {}).First(images), options, {});
      series.x.push_back(static_cast<double>(images));
      series.y.push_back(timing.seconds);
      rows.push_back({series.name, images, timing.passes, timing.seconds});
    }
    chart.series.push_back(series);
  }
  std::ofstream(name + ".csv") << bitplan::ToCsv({"compute", "images", "pass_seconds", "seconds"}, rows);
  std::ofstream(name + ".svg") << bitplan::ToSvg(chart);
}

}  // namespace

int main(int argc, char** argv) {
  bitplan::ShareProcessors(argv);
  bitplan::KeepFreedMemory();
  try {
    if (argc < 4)
      throw std::invalid_argument("MODEL.pt DATA IMAGES [TOLERANCE] [ROWS] [JSON] [COMPUTE] [MEMORY_BYTES]");
    const bool scaling = argv[1] == std::string("scaling");
    const bitplan::Network network = bitplan::Network::Load(argv[scaling ? 2 : 1]);
    const std::string spec = argv[scaling ? 3 : 2];
    network.Forward(bitplan::Dataset::Load(spec, {}).Get(0, 1).inputs);  // LibTorch starts its threads
    if (scaling) {
      MeasureScaling(network, spec, argc > 4 ? argv[4] : "curvature");
      return 0;
    }
    bitplan::EigenOptions eigen;
    if (argc > 4) eigen.tolerance = std::atof(argv[4]);
    bitplan::GaussNewtonOptions options;
    if (argc > 5) options.rows = std::atoi(argv[5]);
    if (argc > 7) options.compute = bitplan::ParseArithmetic(argv[7]);
    if (argc > 8) options.memory_bytes = std::atoll(argv[8]);
    const Timing timing = Measure(network, bitplan::Dataset::Load(spec, {}).First(std::atoll(argv[3])), options, eigen);
    if (argc > 6)
      std::ofstream(argv[6]) << fmt::format("{{{}\"seconds\": {}, \"passes\": {}}}\n", timing.json, timing.seconds,
                                            timing.passes);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_curvature: {}\n", error.what());
    return 2;
  }
  return 0;
}
