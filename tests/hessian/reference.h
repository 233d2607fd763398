#pragma once

#include <ATen/Parallel.h>
#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bitplan/curvature.h"
#include "bitplan/data.h"
#include "bitplan/network.h"

namespace bitplan {

/// The numbers of make_reference.py.
inline const nlohmann::json& Reference() {
  static const nlohmann::json reference =
      nlohmann::json::parse(std::ifstream(std::filesystem::path(BITPLAN_TEST_DIR) / "hessian" / "reference.json"));
  return reference;
}

inline Network LoadModel(const std::string& name, bool fold_batch_norm = true) {
  at::set_num_threads(1);  // the models are tiny: threads would only wait for each other
  NetworkOptions options;
  options.fold_batch_norm = fold_batch_norm;
  return Network::Load(std::filesystem::path(BITPLAN_TEST_DIR) / "hessian" / "models" / (name + ".pt"), options);
}

inline Dataset LoadSamples(const std::string& name, bool labelled = true) {
  const nlohmann::json& model = Reference().at(name);
  const auto inputs = model.at("inputs").get<std::vector<float>>();
  const auto labels = model.at("labels").get<std::vector<std::int64_t>>();
  const auto shape = model.at("shape").get<std::vector<std::int64_t>>();
  return Dataset::FromTensors({torch::tensor(inputs).view(shape)}, labelled ? torch::tensor(labels) : at::Tensor());
}

inline LossFunction LoadLoss(const std::string& name, std::int64_t batch_size = 100, Loss loss = Loss::Auto,
                             bool fold_batch_norm = true) {
  return {LoadModel(name, fold_batch_norm), LoadSamples(name, loss != Loss::Divergence), loss, batch_size};
}

/// Index of the layer whose weight has this name in the model file.
inline int LayerOf(const Network& network, const std::string& weight) {
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    const auto parameter = static_cast<std::size_t>(network.layers()[i].weight);
    if (network.parameters()[parameter].name == weight) return static_cast<int>(i);
  }
  throw std::out_of_range("no layer has the weight " + weight);
}

inline Variables MakeVariables(const Network& network, const std::vector<std::string>& weights,
                               bool activations = false) {
  Variables variables;
  variables.activations = activations;
  for (const std::string& weight : weights) variables.layers.push_back(LayerOf(network, weight));
  return variables;
}

/// The matrix of an operator, [rows, rows], float64, one product a column.
inline at::Tensor DenseMatrix(const HessianOperator& hessian) {
  const auto rows = static_cast<std::int64_t>(hessian.rows());
  const at::Tensor identity = torch::eye(rows, torch::kDouble);
  const at::Tensor columns = torch::empty({rows, rows}, torch::kDouble);
  for (std::int64_t i = 0; i < rows; ++i) {
    hessian.perform_op(identity[i].data_ptr<double>(), columns[i].data_ptr<double>());
  }
  return columns.t().contiguous();
}

/// The matrix that make_reference.py wrote as an upper triangle.
inline at::Tensor FullMatrix(const std::vector<double>& upper_triangle) {
  std::int64_t rows = 0;
  while (rows * (rows + 1) / 2 < static_cast<std::int64_t>(upper_triangle.size())) ++rows;
  const at::Tensor matrix = torch::zeros({rows, rows}, torch::kDouble);
  const at::Tensor indices = torch::triu_indices(rows, rows);
  matrix.index_put_({indices[0], indices[1]}, torch::tensor(upper_triangle, torch::kDouble));
  return matrix + matrix.triu(1).t();
}

/// The dense Hessian in these weights (or their inputs) that PyTorch computed in float64.
inline at::Tensor ReferenceHessian(const std::string& name, const std::string& kind,
                                   const std::vector<std::string>& weights, const std::string& loss = "cross-entropy",
                                   bool fold_batch_norm = true) {
  for (const nlohmann::json& entry : Reference().at(name).at("hessians")) {
    if (entry.at("kind") == kind && entry.at("loss") == loss && entry.at("layers") == weights &&
        entry.at("fold_batch_norm") == fold_batch_norm) {
      return FullMatrix(entry.at("upper_triangle").get<std::vector<double>>());
    }
  }
  throw std::out_of_range("reference.json has no such Hessian of " + name);
}

/// Largest difference of two tensors relative to the largest element of the second.
inline double RelativeDifference(const at::Tensor& actual, const at::Tensor& expected) {
  if (actual.sizes() != expected.sizes()) return std::numeric_limits<double>::infinity();
  return ((actual - expected).abs().max() / expected.abs().max()).item<double>();
}

}  // namespace bitplan
