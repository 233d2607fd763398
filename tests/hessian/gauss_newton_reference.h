#pragma once

#include <ATen/Parallel.h>
#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bitplan/data.h"
#include "bitplan/loss.h"
#include "bitplan/network.h"

namespace bitplan {

/// The numbers of make_gauss_newton_reference.py; its docstring tells the layout.
inline const nlohmann::json& GaussNewtonReference() {
  static const nlohmann::json reference =
      nlohmann::json::parse(std::ifstream(std::filesystem::path(BITPLAN_TEST_DIR) / "hessian" / "gauss_newton.json"));
  return reference;
}

/// One model with one loss.
struct GaussNewtonCase {
  std::string model;
  std::size_t loss = 0;  ///< position among the model's losses

  const nlohmann::json& Model() const { return GaussNewtonReference().at(model); }
  const nlohmann::json& Expected() const { return Model().at("losses").at(loss); }
  Loss Kind() const { return ParseLoss(Expected().at("loss").get<std::string>()); }
  double Temperature() const { return Expected().at("temperature"); }

  Network Load() const {
    at::set_num_threads(1);  // the models are tiny: threads would only wait for each other
    return Network::Load(std::filesystem::path(BITPLAN_TEST_DIR) / "hessian" / "models" / "gauss_newton" /
                         (model + ".pt"));
  }

  at::Tensor Inputs() const {
    const nlohmann::json& input = Model().at("input");
    const auto shape = input.at("shape").get<std::vector<std::int64_t>>();
    if (input.at("dtype") == "int64")
      return torch::tensor(input.at("values").get<std::vector<std::int64_t>>()).view(shape);
    return torch::tensor(input.at("values").get<std::vector<float>>()).view(shape);
  }

  /// With the labels that the loss needs.
  Dataset Samples() const {
    at::Tensor labels;
    if (Kind() == Loss::CrossEntropy || Kind() == Loss::BinaryCrossEntropy) {
      const nlohmann::json& given = Model().at(Kind() == Loss::CrossEntropy ? "class_labels" : "binary_labels");
      labels = torch::tensor(given.at("values").get<std::vector<std::int64_t>>())
                   .view(given.at("shape").get<std::vector<std::int64_t>>());
    }
    return Dataset::FromTensors({Inputs()}, labels);
  }

  std::string Name() const {
    std::string name = model + "_" + Expected().at("loss").get<std::string>();
    if (Temperature() != 1) name += "_t" + std::to_string(static_cast<int>(Temperature()));
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
  }
};

inline std::vector<GaussNewtonCase> GaussNewtonCases() {
  std::vector<GaussNewtonCase> cases;
  for (const auto& [name, model] : GaussNewtonReference().items())
    for (std::size_t i = 0; i < model.at("losses").size(); ++i) cases.push_back({name, i});
  return cases;
}

}  // namespace bitplan
