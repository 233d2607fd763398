#include <fmt/format.h>
#include <torch/types.h>

#include <algorithm>
#include <utility>

#include "bitplan/error.h"
#include "bitplan/gauss_newton.h"
#include "gauss_newton/gauss_newton_impl.h"
#include "gauss_newton/row_space.h"

namespace bitplan {

GaussNewtonOperator::GaussNewtonOperator(GaussNewton matrix, std::vector<std::size_t> layers)
    : matrix_(std::move(matrix)), layers_(std::move(layers)) {
  for (const std::size_t layer : layers_)
    if (layer >= matrix_.layers().size() || std::count(layers_.begin(), layers_.end(), layer) > 1)
      throw Error(fmt::format("position {} is given twice or is not one of the matrix's {} layers", layer,
                              matrix_.layers().size()));
}

std::ptrdiff_t GaussNewtonOperator::rows() const {
  std::ptrdiff_t rows = 0;
  for (const std::size_t layer : layers_) rows += matrix_.elements(layer);
  return rows;
}

void GaussNewtonOperator::perform_op(const double* x, double* y) const {
  const at::NoGradGuard no_gradient;
  std::vector<at::Tensor> directions, sums;
  for (const std::size_t layer : layers_) {
    const at::Tensor weight = matrix_.impl_->store.Weight(layer);
    const at::Tensor given = torch::from_blob(const_cast<double*>(x), {weight.numel()}, torch::kDouble);
    directions.push_back(given.to(weight.options()).view(weight.sizes()));
    sums.push_back(at::zeros_like(weight));
    x += weight.numel();
  }
  matrix_.impl_->store.ForEachPart(
      layers_, [&](const hessian::RowStore::Part&, const std::vector<const hessian::LayerRows*>& rows) {
        if (rows.size() == 1) {
          if (rows[0]) sums[0] += rows[0]->Squared(directions[0]);
          return;
        }
        at::Tensor u;
        for (std::size_t i = 0; i < rows.size(); ++i) {
          if (!rows[i]) continue;
          const at::Tensor term = rows[i]->Times(directions[i]);
          u = u.defined() ? u + term : term;
        }
        for (std::size_t i = 0; i < rows.size(); ++i)
          if (rows[i]) sums[i] += rows[i]->TransposedTimes(u);
      });
  for (const at::Tensor& sum : sums) {
    const at::Tensor mean = sum.flatten().to(at::kCPU, at::kDouble) / static_cast<double>(matrix_.samples());
    std::copy_n(mean.const_data_ptr<double>(), mean.numel(), y);
    y += mean.numel();
  }
}

Eigenpairs TopEigenpairs(const GaussNewtonOperator& matrix, const EigenOptions& options) {
  options.Validate();
  const at::NoGradGuard no_gradient;
  const hessian::SymmetricOperator symmetric(
      matrix.rows(), [&](const double* x, double* y) { matrix.perform_op(x, y); }, options.max_products,
      options.progress);
  const hessian::RowSpace space(matrix.matrix_.impl_->store, matrix.layers_);
  if (space.rows() >= matrix.rows() || options.count >= space.rows())
    return hessian::SolveTopEigenpairs(symmetric, options);
  const auto [vectors, products] = space.TopVectors(options);
  Eigenpairs pairs = hessian::JudgeEigenvectors(symmetric, space.ToWeights(vectors), options);
  pairs.products += products;
  return pairs;
}

}  // namespace bitplan
