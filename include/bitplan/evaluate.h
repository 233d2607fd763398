#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bitplan/data.h"
#include "bitplan/fast.h"
#include "bitplan/integer.h"
#include "bitplan/loss.h"
#include "bitplan/network.h"
#include "bitplan/pass_limits.h"
#include "bitplan/plan.h"
#include "bitplan/progress.h"
#include "bitplan/quantize.h"

namespace bitplan {

/// ResolveLoss of a loss that an analysis of other data was made with: without labels, cross entropy is Divergence.
Criterion EvaluationCriterion(const Network& network, const Dataset& data, Loss loss);

/// Runs the float network and, side by side, each of `quantized` over `data`; results in that order, the float one
/// first. They are compared as EvaluationCriterion says: classes by their argmax, cross entropy and KL; yes or no by
/// sign, binary cross entropy and KL; values by squared errors. Predictions whose label is ignored do not count. Throws
/// Error when an output is not finite or labels do not fit it, before the first batch.
std::vector<Evaluation> Evaluate(const Network& network, const std::vector<QuantizedNetwork>& quantized,
                                 const Dataset& data, const PassLimits& limits = {},
                                 const ProgressCallback& progress = {}, Loss loss = Loss::Auto);

/// The same of anything that computes what a network does: inputs in, output [N, …] out.
using ForwardFunction = std::function<at::Tensor(const std::vector<at::Tensor>& inputs)>;
std::vector<Evaluation> EvaluateFunctions(const Network& network, const std::vector<ForwardFunction>& functions,
                                          const Dataset& data, const PassLimits& limits = {},
                                          const ProgressCallback& progress = {}, Loss loss = Loss::Auto);

/// What the output correction of `quantized` gains on samples that it was not fitted on; `calibration` and `options`
/// are what it was made with. Nothing where it corrects nothing by data, was fitted on fewer than four samples, or
/// where `options.memory_bytes` have no room for two more networks with weights of their own.
std::optional<CorrectionGain> CrossValidateCorrection(const QuantizedNetwork& quantized, const Dataset& calibration,
                                                      const QuantizeOptions& options = {});

/// A planned network computed with integers, on one data set.
struct IntegerEvaluation {
  Evaluation evaluation;
  IntegerOptions options;
  std::vector<std::pair<std::string, std::int64_t>>
      overflows;                        ///< accumulators that overflowed, by layer, where there are any
  std::vector<FloatOperator> in_float;  ///< as IntegerNetwork::in_float
};

/// What is measured beside the float network: key `integer` of the file form `bitplan.evaluation/1`.
std::string ToJson(const EvaluationReport& report, const IntegerEvaluation& integer);

/// The float network, the fake-quantized one and the same computed with integers, side by side. Throws Error as
/// Evaluate does.
struct IntegerComparison {
  Evaluation float_network, fake_quantized;
  IntegerEvaluation integer;
};
IntegerComparison EvaluateInteger(const QuantizedNetwork& quantized, const IntegerOptions& options, const Dataset& data,
                                  const PassLimits& limits = {}, const ProgressCallback& progress = {},
                                  Loss loss = Loss::Auto);

/// The float network, the fake-quantized one and the same on 8-bit kernels, side by side.
struct FastComparison {
  Evaluation float_network, fake_quantized, fast;
  double speedup =
      0;  ///< time of the float forward over that of the fast one: the first batch, median of alternating runs
  std::vector<FloatOperator> in_float;  ///< as FastNetwork::in_float
};

/// Throws Error as Evaluate and FastNetwork::Create do.
FastComparison EvaluateFast(const QuantizedNetwork& quantized, const FastOptions& options, const Dataset& data,
                            const PassLimits& limits = {}, const ProgressCallback& progress = {},
                            Loss loss = Loss::Auto);

/// What is measured beside the float network: key `fast` of the file form `bitplan.evaluation/1`.
std::string ToJson(const EvaluationReport& report, const FastComparison& fast);

}  // namespace bitplan
