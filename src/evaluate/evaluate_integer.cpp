#include <utility>

#include "bitplan/evaluate.h"
#include "in_float_json.h"
#include "plan/evaluation_json.h"
#include "quantize/quantized_network.h"

namespace bitplan {

IntegerComparison EvaluateInteger(const QuantizedNetwork& quantized, const IntegerOptions& options, const Dataset& data,
                                  const PassLimits& limits, const ProgressCallback& progress, Loss loss) {
  const IntegerNetwork network = IntegerNetwork::Create(quantized, options);
  const std::vector<Layer>& layers = quantized.network().layers();
  std::vector<std::int64_t> overflows(layers.size(), 0);
  const auto fake = [&](const std::vector<at::Tensor>& inputs) { return quantized.Forward(inputs); };
  const auto integer = [&](const std::vector<at::Tensor>& inputs) {
    IntegerRun run = network.Run(inputs);
    for (std::size_t i = 0; i < overflows.size(); ++i) overflows[i] += run.overflows[i];
    return std::move(run.output);
  };
  const auto measured = EvaluateFunctions(quantized.network(), {fake, integer}, data,
                                          limits.Beside(2 * quantize::OwnBytes(quantized)), progress, loss);
  IntegerComparison comparison{measured[0], measured[1], {measured[2], options, {}, network.in_float()}};
  for (std::size_t i = 0; i < overflows.size(); ++i)
    if (overflows[i] > 0) comparison.integer.overflows.emplace_back(layers[i].name, overflows[i]);
  return comparison;
}

std::string ToJson(const EvaluationReport& report, const IntegerEvaluation& integer) {
  plan::Json json = plan::ReportJson(report);
  plan::Json& own = json["integer"] = plan::EvaluationJson(integer.evaluation);
  own["accumulator_bits"] = integer.options.accumulator_bits;
  own["overflow"] = ToString(integer.options.overflow);
  own["multiplier_bits"] = integer.options.multiplier_bits;
  own["overflows"] = plan::Json::object();
  for (const auto& [layer, count] : integer.overflows) own["overflows"][layer] = count;
  own["in_float"] = evaluate::InFloatJson(integer.in_float);
  return plan::JsonText(json);
}

}  // namespace bitplan
