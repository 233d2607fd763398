// Top Gauss-Newton eigenvalue of every layer, from one set of backward passes; and how the time is spent.
//
//   bench_curvature MODEL.pt DATA IMAGES [TOLERANCE] [ROWS] [JSON]

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <string>

#include "bitplan/data.h"
#include "bitplan/gauss_newton.h"
#include "bitplan/network.h"

namespace {

double SecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc < 4) throw std::invalid_argument("MODEL.pt DATA IMAGES [TOLERANCE] [ROWS] [JSON]");
    const bitplan::Network network = bitplan::Network::Load(argv[1]);
    const bitplan::Dataset data = bitplan::Dataset::Load(argv[2], {}).First(std::atoll(argv[3]));
    bitplan::EigenOptions eigen;
    if (argc > 4) eigen.tolerance = std::atof(argv[4]);
    bitplan::GaussNewtonOptions options;
    if (argc > 5) options.rows = std::atoi(argv[5]);
    network.Forward(data.Get(0, 1).inputs);  // LibTorch starts its threads

    const auto start = std::chrono::steady_clock::now();
    const auto matrix = bitplan::GaussNewton::Compute(network, data, options);
    const double passes = SecondsSince(start);
    fmt::print("{} images, {} rows, {:.2g} of the curvature cut: forward and backward passes {:.2f} s\n", data.size(), matrix.rows(),
               matrix.cut(), passes);
    std::string json = "{";
    int products = 0;
    for (std::size_t i = 0; i < matrix.layers().size(); ++i) {
      const auto begin = std::chrono::steady_clock::now();
      const auto pairs = bitplan::TopEigenpairs(bitplan::GaussNewtonOperator(matrix, {i}), eigen);
      const std::string& name = network.layers()[static_cast<std::size_t>(matrix.layers()[i])].name;
      fmt::print("{:<20} {:>9} weights {:>12.6g} {:>4} products {:>7.3f} s{}\n", name, matrix.elements(i), pairs.values[0],
                 pairs.products, SecondsSince(begin), pairs.converged ? "" : "  not converged");
      json += fmt::format("\"{}\": {}, ", name, pairs.values[0]);
      products += pairs.products;
    }
    const double all = SecondsSince(start);
    fmt::print("all layers: {:.2f} s, {} products {:.2f} s\n", all, products, all - passes);
    if (argc > 6) std::ofstream(argv[6]) << json << fmt::format("\"seconds\": {}, \"passes\": {}}}\n", all, passes);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_curvature: {}\n", error.what());
    return 2;
  }
  return 0;
}
