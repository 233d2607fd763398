#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "bitplan/gauss_newton.h"
#include "gauss_newton/row_store.h"

namespace bitplan {

struct GaussNewton::Impl {
  Impl(Network network, Dataset data, std::vector<int> of_layers, hessian::LossCurvature curvature,
       hessian::GradientPass pass, std::int64_t memory_bytes, ProgressCallback progress)
      : layers(of_layers),
        samples(data.size()),
        store(std::move(network), std::move(data), std::move(of_layers), std::move(curvature), std::move(pass),
              memory_bytes, std::move(progress)),
        differences(layers.size()) {}

  std::vector<int> layers;
  std::int64_t samples;
  hessian::RowStore store;
  std::vector<ArithmeticDifference> differences;  // of each layer
};

}  // namespace bitplan
