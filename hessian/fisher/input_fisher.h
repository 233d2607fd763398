#pragma once

#include <vector>

#include "bitplan/analyze.h"
#include "bitplan/statistics.h"

namespace bitplan::hessian {

/// A format for the tensors at some LayerInput sites, quantized together.
struct InputChoice {
  std::vector<int> sites;
  Format format;
};

/// Measure::Fisher of quantizing layers' inputs, ½ mean_n Σ_c Σ_i ((J_nᵀ r_{n,c})_i)² (Q(x_n) − x_n)_i², with J_n the
/// Jacobian of sample n's output in what the layers read and r_{n,c} the rows of the loss's curvature in it. All
/// choices' from the same backward passes, one for every row, over chunks of samples within the memory limit. Standard
/// errors are over the samples. Of the options loss, temperature, formats, batch size, memory and seed count. Throws
/// Error as GaussNewton::Compute does.
std::vector<Estimate> InputFisher(const Network& network, const Dataset& data, const std::vector<InputChoice>& choices,
                                  const AnalyzeOptions& options);

}  // namespace bitplan::hessian
