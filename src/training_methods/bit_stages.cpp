#include "training_methods/bit_stages.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "bitplan/error.h"

namespace bitplan::training_methods {

namespace {

Plan PlanAtStage(const Plan& plan, int bits) {
  Plan stage = plan;
  for (LayerPlan& layer : stage.layers)
    layer = {layer.name, FormatAtStage(layer.weight, bits), FormatAtStage(layer.activation, bits), {}, {}};
  for (OperandPlan& operand : stage.operands) operand = {operand.name, FormatAtStage(operand.format, bits), {}};
  return stage;
}

bool SameFormats(const Plan& one, const Plan& other) {
  const auto same_layer = [](const LayerPlan& a, const LayerPlan& b) {
    return a.weight == b.weight && a.activation == b.activation;
  };
  const auto same_operand = [](const OperandPlan& a, const OperandPlan& b) { return a.format == b.format; };
  return std::equal(one.layers.begin(), one.layers.end(), other.layers.begin(), same_layer) &&
         std::equal(one.operands.begin(), one.operands.end(), other.operands.begin(), same_operand);
}

}  // namespace

void CheckStages(const std::vector<int>& bits) {
  const bool widths =
      std::all_of(bits.begin(), bits.end(), [](int width) { return width > 1 && width < 32 && IsWidth(width); });
  if (!widths || !std::is_sorted(bits.rbegin(), bits.rend()) ||
      std::adjacent_find(bits.begin(), bits.end()) != bits.end())
    throw Error(
        fmt::format("stages: {} given; expected descending widths of 2 to 8 or 16 bits", fmt::join(bits, ", ")));
}

Format FormatAtStage(const Format& planned, int bits) {
  if (planned.bits >= bits) return planned;
  Format format = planned;
  format.type = NumberType::Integer;
  format.bits = bits;
  if (planned.type == NumberType::PowerOfTwo) format.scale_type = ScaleType::Float32;  // it has no others
  if (format.calibrator == Calibrator::Entropy && bits > 8) format.calibrator = Calibrator::Mse;
  return format;
}

std::vector<Plan> PlansInStages(const Plan& plan, const std::vector<int>& bits) {
  CheckStages(bits);
  std::vector<Plan> plans;
  for (const int width : bits) {
    Plan stage = PlanAtStage(plan, width);
    if (SameFormats(stage, plan)) break;  // so are those of fewer bits
    if (plans.empty() || !SameFormats(stage, plans.back())) plans.push_back(std::move(stage));
  }
  plans.push_back(plan);
  return plans;
}

std::size_t StageAt(std::int64_t epoch, std::int64_t epochs, std::size_t stages) {
  if (epochs < static_cast<std::int64_t>(stages))
    throw Error(fmt::format("epochs: {} given; at least one for each of the {} stages needed", epochs, stages));
  return static_cast<std::size_t>(epoch * static_cast<std::int64_t>(stages) / epochs);
}

}  // namespace bitplan::training_methods
