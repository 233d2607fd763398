#pragma once

#include <string>

#include "bitplan/plan.h"
#include "cost/example_layers.h"

namespace bitplan {

/// A sensitivity with every kind of value in it.
inline Sensitivity FullSensitivity() {
  Sensitivity sensitivity = ExampleSensitivity();
  sensitivity.tool_version = "1.2.3";
  sensitivity.model_sha256 = std::string(64, 'a');
  sensitivity.data = {
      "cifar10:träin.bin", std::string(64, 'b'), 128, {0.485, 0.456, 0.1 + 0.2}, {0.229, 0.224, 1.0 / 3}};
  sensitivity.seed = 18446744073709551615U;
  sensitivity.loss = Loss::CrossEntropy;
  sensitivity.fold_batch_norm = false;
  sensitivity.channel_correction = false;
  sensitivity.weight_format.calibrator = Calibrator::Percentile;
  sensitivity.weight_format.narrow_range = true;
  sensitivity.weight_format.percentile = 99.9;
  sensitivity.activation_format = DefaultActivationFormat();
  sensitivity.layers[0].tied_group = 3;
  sensitivity.layers[1].weight = {.elements = 2304,
                                  .eigenvalue = -1.25e-300,
                                  .eigenvalue_residual = 1e-3,
                                  .eigenvalue_converged = true,
                                  .trace = 0.1,
                                  .trace_standard_error = 3.3333333333333335,
                                  .trace_significant = false};
  sensitivity.layers[1].difference_from_float32 = {0.0087, 1.0 / 3};
  sensitivity.layers[2].activation = {};
  sensitivity.layers[2].input_count = 0;
  sensitivity.layers[2].activation_choices = Choices({32}, 0);
  return sensitivity;
}

/// A plan with every kind of value in it.
inline Plan FullPlan() {
  Plan plan;
  plan.tool_version = "1.2.3";
  plan.model_sha256 = std::string(64, 'a');
  plan.data = FullSensitivity().data;
  plan.seed = 42;
  plan.fold_batch_norm = false;
  plan.measure = "trace";
  plan.layers = {{"conv1", DefaultWeightFormat().WithBits(8), DefaultActivationFormat().WithBits(32)},
                 {"linear", DefaultWeightFormat().WithBits(2), DefaultActivationFormat().WithBits(8)}};
  plan.layers[1].weight.granularity = Granularity::Tensor;
  plan.layers[1].weight.calibrator = Calibrator::Entropy;
  plan.predicted_loss = 0.30000000000000004;
  plan.measured = Evaluation{924, 1017, 924.0 / 1017, 0.31, 0.97, 0.02};
  plan.costs = {{"bops", 1e9}, {"weight_size_bytes", 134168}};
  plan.budgets = {{"weight_size_bytes", 134168.5}};
  plan.certificate = {"exact", SolutionStatus::Optimal, 0.3, 0.29999999999999999, 0};
  plan.stability = Stability{100, 0.37, 0.008, 0.9, {{"conv1", 1}, {"linear", 0.42}}};
  return plan;
}

}  // namespace bitplan
