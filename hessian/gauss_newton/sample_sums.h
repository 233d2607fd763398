#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "bitplan/curvature.h"

namespace bitplan::hessian {

// What some rows of samples, as `gradients` [n, R, weight…], add to figures of a layer's Gauss-Newton matrix.

/// To the trace: of each sample, float64 [n] on the CPU.
at::Tensor SampleTraces(const at::Tensor& gradients);

/// Factors f [K, weight…] of Σ_i G_ii f_i as SampleForms takes them.
at::Tensor FormColumns(const at::Tensor& factors, const at::Tensor& weight);

/// To Σ_i G_ii f_i for each factor: float64 [K, n] on the CPU.
at::Tensor SampleForms(const at::Tensor& gradients, const at::Tensor& columns);

/// The trace, from what each sample adds. `difference`: what the arithmetic of the passes changes, relative.
TraceEstimate MeanTrace(const std::vector<double>& of_samples, double difference);

}  // namespace bitplan::hessian
