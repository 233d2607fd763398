#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <random>
#include <utility>

#include "bitplan/loss.h"

namespace bitplan::hessian {

// Rows of a loss of which nothing is known but what it gives (Loss::Module), by double backward. Where such a loss is
// curved downwards in its outputs, nothing is taken: rows make positive semidefinite matrices alone.

/// All rows [n, D, D] of samples' Hessians in their D outputs and the rows' squared lengths [n, D], float64, largest
/// first. `outputs` [n, output…], `labels` [n, …] or undefined.
std::pair<at::Tensor, at::Tensor> AllModuleRows(const Criterion& criterion, const at::Tensor& outputs,
                                                const at::Tensor& labels);

/// `count` rows [count, D] of one sample, float64, that add up to its Hessian on average over draws: H^½ ε / √count of
/// signs ε, by Lanczos (Chow and Saad 2014). `output` [1, output…], `label` [1, …] or undefined.
at::Tensor DrawnModuleRows(const Criterion& criterion, const at::Tensor& output, const at::Tensor& label,
                           std::int64_t count, std::mt19937_64& generator);

}  // namespace bitplan::hessian
