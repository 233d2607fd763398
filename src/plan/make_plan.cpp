#include <algorithm>
#include <limits>
#include <map>

#include "bitplan/error.h"
#include "bitplan/plan.h"
#include "bitplan/version.h"

namespace bitplan {

namespace {

/// `plan` with what a sensitivity file says of all plans made from it.
Plan Framed(Plan plan, const Sensitivity& sensitivity) {
  plan.tool_version = Version();
  plan.model_sha256 = sensitivity.model_sha256;
  plan.weights_sha256 = sensitivity.weights_sha256;
  plan.data = sensitivity.data;
  plan.seed = sensitivity.seed;
  plan.fold_batch_norm = sensitivity.fold_batch_norm;
  plan.input_values = sensitivity.input_values;
  plan.corrections.output = sensitivity.channel_correction ? OutputCorrection::Channel : OutputCorrection::None;
  return plan;
}

LayerPlan PlanLayer(const Sensitivity& sensitivity, const LayerSensitivity& layer, int weight_bits,
                    int activation_bits) {
  LayerPlan planned{layer.name, sensitivity.weight_format.WithBits(weight_bits),
                    sensitivity.activation_format.WithBits(activation_bits)};
  planned.fingerprint = layer.fingerprint;
  return planned;
}

/// The operands, on the grid of the layer's input where that is the same tensor.
std::vector<OperandPlan> PlanOperands(const Sensitivity& sensitivity, const std::vector<LayerPlan>& layers) {
  std::vector<OperandPlan> operands;
  for (const OperandFormat& operand : sensitivity.operands) {
    const auto layer =
        std::find_if(layers.begin(), layers.end(), [&](const LayerPlan& each) { return each.name == operand.layer; });
    const bool shared = layer != layers.end() && layer->activation.bits < 32;
    operands.push_back({operand.name, shared ? layer->activation : operand.format});
  }
  return operands;
}

}  // namespace

Plan MakePlan(const Sensitivity& sensitivity, const Problem& problem, const Solution& solution, Measure measure) {
  if (solution.choices.size() != problem.groups.size()) throw Error("there is no plan: the solution has no choices");
  std::map<std::string, LayerBits> bits_of;
  for (std::size_t i = 0; i < problem.groups.size(); ++i) {
    if (solution.choices[i] >= problem.groups[i].choices.size())
      throw Error("group '" + problem.groups[i].name + "' has no such choice: the solution is another problem's");
    for (const LayerBits& bits : BitsOfChoice(problem.groups[i], problem.groups[i].choices[solution.choices[i]]))
      bits_of[bits.layer] = bits;
  }
  Plan plan = Framed({}, sensitivity);
  plan.measure = ToString(measure);
  for (const LayerSensitivity& layer : sensitivity.layers) {
    const auto found = bits_of.find(layer.name);
    if (found == bits_of.end())
      throw Error("the problem has no group for layer '" + layer.name + "'; it is another model's");
    plan.layers.push_back(PlanLayer(sensitivity, layer, found->second.weight_bits, found->second.activation_bits));
  }
  if (bits_of.size() != plan.layers.size())
    throw Error("the problem has layers that the sensitivity file has not; it is another model's");
  plan.operands = PlanOperands(sensitivity, plan.layers);
  plan.predicted_loss = solution.objective;
  plan.costs = WithPeaks(solution.costs);
  plan.budgets = WithPeaks(problem.budgets);
  plan.certificate = {solution.method, solution.status, solution.objective, solution.bound, solution.gap};
  return plan;
}

Plan PlanWithoutSearch(const std::string& measure, const std::string& method) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  Plan plan;
  plan.tool_version = Version();
  plan.measure = measure;
  plan.predicted_loss = kNone;
  plan.certificate = {method, SolutionStatus::Feasible, kNone, kNone, kNone};
  return plan;
}

Plan MakeUniformPlan(const Sensitivity& sensitivity, int weight_bits, int activation_bits) {
  Plan plan = Framed(PlanWithoutSearch("uniform", "uniform"), sensitivity);
  sensitivity.weight_format.WithBits(weight_bits).Validate();
  sensitivity.activation_format.WithBits(activation_bits).ValidateForActivations();
  for (const LayerSensitivity& layer : sensitivity.layers) {
    const int input_bits = layer.input_count > 0 ? activation_bits : 32;
    plan.layers.push_back(PlanLayer(sensitivity, layer, weight_bits, input_bits));
  }
  plan.operands = PlanOperands(sensitivity, plan.layers);
  plan.costs = WithPeaks(UniformCosts(sensitivity, weight_bits, activation_bits));
  return plan;
}

}  // namespace bitplan
