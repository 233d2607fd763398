#include "gauss_newton/sample_sums.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numeric>

namespace bitplan::hessian {

at::Tensor SampleTraces(const at::Tensor& gradients) {
  const at::Tensor norms = at::linalg_vector_norm(gradients.flatten(2), 2, {2}).to(at::kCPU, at::kDouble);
  return norms.square().sum(1);
}

at::Tensor FormColumns(const at::Tensor& factors, const at::Tensor& weight) {
  return factors.flatten(1).t().to(weight.options());
}

at::Tensor SampleForms(const at::Tensor& gradients, const at::Tensor& columns) {
  const at::Tensor diagonals = gradients.flatten(2).square().sum(1);  // of each sample
  return at::mm(diagonals, columns).t().to(at::kCPU, at::kDouble);
}

TraceEstimate MeanTrace(const std::vector<double>& of_samples, double difference) {
  const auto count = static_cast<double>(of_samples.size());
  const double mean = std::accumulate(of_samples.begin(), of_samples.end(), 0.0) / count;
  double squares = 0;
  for (const double trace : of_samples) squares += (trace - mean) * (trace - mean);
  const double of_mean = count > 1 ? std::sqrt(squares / (count - 1) / count) : 0;
  TraceEstimate trace;
  trace.value = mean;
  trace.standard_error = std::hypot(of_mean, difference * mean);
  trace.significant = trace.value > 2 * trace.standard_error;
  return trace;
}

}  // namespace bitplan::hessian
