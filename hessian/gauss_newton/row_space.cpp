#include "gauss_newton/row_space.h"

#include <torch/types.h>

#include <algorithm>

#include "tuning.h"

namespace bitplan::hessian {

namespace {

std::int64_t CountOf(const RowStore::Part& part) { return static_cast<std::int64_t>(part.samples.size()) * part.rows; }

/// [n, R] float32 of a part's rows.
at::Tensor PartOf(const double* u, const RowStore::Part& part, const at::TensorOptions& options) {
  const auto samples = static_cast<std::int64_t>(part.samples.size());
  return torch::from_blob(const_cast<double*>(u), {samples, part.rows}, torch::kDouble).to(options);
}

}  // namespace

RowSpace::RowSpace(const RowStore& store, std::vector<std::size_t> layers) : store_(store), layers_(std::move(layers)) {
  for (const RowStore::Part& part : store_.parts()) rows_ += CountOf(part);
}

bool RowSpace::FormingPays() const {
  const auto rows = static_cast<double>(rows_);
  double forming = 0, products = 0, bytes = 12 * rows * rows;
  for (const std::size_t layer : layers_) {
    const auto elements = static_cast<double>(store_.Weight(layer).numel());
    const RowStore::Cost cost = store_.CostOf(layer);
    forming += rows * rows / 2 * elements + cost.gradients;
    products += tuning::kSweeps * (cost.products > 0 ? cost.products : tuning::kCostOfStreaming * rows * elements);
    if (cost.products > 0 || !cost.kept) bytes += 8 * rows * elements;
  }
  return forming <= products && bytes <= static_cast<double>(store_.work_bytes());
}

Eigen::MatrixXd RowSpace::Form() const {
  const auto size = static_cast<std::int64_t>(rows_);
  at::Tensor gram = torch::zeros({size, size}, store_.Weight(layers_.front()).options());
  for (const std::size_t layer : layers_) {
    std::vector<std::pair<std::int64_t, at::Tensor>> blocks;  // where each part's rows begin, and they
    std::int64_t begin = 0;
    store_.ForEachPart({layer}, [&](const RowStore::Part& part, const std::vector<const LayerRows*>& rows) {
      if (rows[0]) blocks.emplace_back(begin, rows[0]->Gradients().flatten(2).flatten(0, 1));
      begin += CountOf(part);
      for (const auto& [at, block] : blocks)
        if (rows[0])
          gram.narrow(0, blocks.back().first, blocks.back().second.size(0)).narrow(1, at, block.size(0)) +=
              at::mm(blocks.back().second, block.t());
    });
  }
  const at::Tensor lower = gram.to(at::kCPU, at::kDouble);
  const at::Tensor whole = lower.tril() + lower.tril(-1).t();
  return Eigen::Map<const Eigen::MatrixXd>(whole.const_data_ptr<double>(), rows_, rows_);
}

void RowSpace::Multiply(const double* x, double* y) const {
  const std::vector<at::Tensor> weights = TransposedTimes(x);
  std::fill_n(y, rows_, 0.0);
  store_.ForEachPart(layers_, [&](const RowStore::Part& part, const std::vector<const LayerRows*>& rows) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (!rows[i]) continue;
      const at::Tensor values = rows[i]->Times(weights[i]).to(at::kCPU, at::kDouble).contiguous();
      for (std::int64_t k = 0; k < values.numel(); ++k) y[k] += values.const_data_ptr<double>()[k];
    }
    y += CountOf(part);
  });
}

std::vector<at::Tensor> RowSpace::TransposedTimes(const double* u) const {
  std::vector<at::Tensor> sums;
  for (const std::size_t layer : layers_) sums.push_back(at::zeros_like(store_.Weight(layer)));
  store_.ForEachPart(layers_, [&](const RowStore::Part& part, const std::vector<const LayerRows*>& rows) {
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (rows[i]) sums[i] += rows[i]->TransposedTimes(PartOf(u, part, sums[i].options()));
    u += CountOf(part);
  });
  return sums;
}

std::pair<Eigen::MatrixXd, int> RowSpace::TopVectors(const EigenOptions& options) const {
  if (!FormingPays()) {
    const SymmetricOperator matrix(
        rows_, [&](const double* x, double* y) { Multiply(x, y); }, options.max_products, options.progress);
    const Eigen::MatrixXd vectors =
        LanczosTopVectors(matrix, options.count, options.tolerance, options.max_products, options.seed);
    return {vectors, matrix.products()};
  }
  const Eigen::MatrixXd gram = Form();
  const auto multiply = [&](const double* x, double* y) {
    Eigen::Map<Eigen::VectorXd>(y, rows_).noalias() = gram * Eigen::Map<const Eigen::VectorXd>(x, rows_);
  };
  const SymmetricOperator matrix(rows_, multiply, options.max_products, {});
  if (rows_ <= tuning::kDenseRows) return {DenseTopVectors(matrix, options.count), 0};
  return {LanczosTopVectors(matrix, options.count, options.tolerance / 10, tuning::kPlentyOfProducts, options.seed), 0};
}

Eigen::MatrixXd RowSpace::ToWeights(const Eigen::MatrixXd& vectors) const {
  Eigen::MatrixXd directions;
  for (Eigen::Index k = 0; k < vectors.cols(); ++k) {
    std::vector<at::Tensor> parts;
    for (const at::Tensor& weights : TransposedTimes(vectors.col(k).data())) parts.push_back(weights.flatten());
    const at::Tensor flat = at::cat(parts).to(at::kCPU, at::kDouble);
    if (k == 0) directions.resize(flat.numel(), vectors.cols());
    directions.col(k) = Eigen::Map<const Eigen::VectorXd>(flat.const_data_ptr<double>(), flat.numel());
  }
  return directions;
}

}  // namespace bitplan::hessian
