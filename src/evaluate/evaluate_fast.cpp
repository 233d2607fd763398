#include <algorithm>
#include <chrono>
#include <utility>

#include "bitplan/evaluate.h"
#include "in_float_json.h"
#include "plan/evaluation_json.h"
#include "quantize/quantized_network.h"
#include "tuning.h"

namespace bitplan {

namespace {

double SecondsOf(const ForwardFunction& forward, const std::vector<at::Tensor>& inputs) {
  const auto begin = std::chrono::steady_clock::now();
  forward(inputs);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double Median(std::vector<double> numbers) {
  const auto middle = numbers.begin() + static_cast<std::ptrdiff_t>(numbers.size() / 2);
  std::nth_element(numbers.begin(), middle, numbers.end());
  return *middle;
}

/// Of `slow` over `fast`, run by turns so that both see the machine alike.
double Speedup(const ForwardFunction& slow, const ForwardFunction& fast, const std::vector<at::Tensor>& inputs) {
  std::vector<double> of_slow, of_fast;
  for (int run = 0; run < evaluate::tuning::kTimedRuns; ++run) {
    of_slow.push_back(SecondsOf(slow, inputs));
    of_fast.push_back(SecondsOf(fast, inputs));
  }
  return Median(std::move(of_slow)) / Median(std::move(of_fast));
}

}  // namespace

FastComparison EvaluateFast(const QuantizedNetwork& quantized, const FastOptions& options, const Dataset& data,
                            const PassLimits& limits, const ProgressCallback& progress, Loss loss) {
  const at::NoGradGuard no_grad;
  const FastNetwork network = FastNetwork::Create(quantized, options);
  const auto exact = [&](const std::vector<at::Tensor>& inputs) { return quantized.network().Forward(inputs); };
  const auto fake = [&](const std::vector<at::Tensor>& inputs) { return quantized.Forward(inputs); };
  const auto fast = [&](const std::vector<at::Tensor>& inputs) { return network.Forward(inputs); };
  const auto measured = EvaluateFunctions(quantized.network(), {fake, fast}, data,
                                          limits.Beside(2 * quantize::OwnBytes(quantized)), progress, loss);
  const auto batch = data.Get(0, std::min(limits.batch_size, data.size())).inputs;
  return {measured[0], measured[1], measured[2], Speedup(exact, fast, batch), network.in_float()};
}

std::string ToJson(const EvaluationReport& report, const FastComparison& fast) {
  plan::Json json = plan::ReportJson(report);
  plan::Json& own = json["fast"] = plan::EvaluationJson(fast.fast);
  own["speedup"] = fast.speedup;
  own["in_float"] = evaluate::InFloatJson(fast.in_float);
  return plan::JsonText(json);
}

}  // namespace bitplan
