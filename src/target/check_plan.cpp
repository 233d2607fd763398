#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>

#include "bitplan/error.h"
#include "bitplan/target.h"
#include "placement.h"
#include "text/shortened.h"

namespace bitplan {

namespace {

std::string Describe(const Format& format, bool of_weight) {
  std::string text = std::string(ToString(format.type));
  if (format.IsInteger()) text = fmt::format("{} {}", ToString(format.scheme), text);
  if (format.HasScale()) {
    if (format.scale_type != ScaleType::Float32) text += fmt::format(" with {} scales", ToString(format.scale_type));
    if (of_weight) text += fmt::format(" per {}", ToString(format.granularity));
    if (format.narrow_range) text += ", narrow range";
    if (format.reduce_range) text += ", reduced range";
  }
  return text;
}

/// Whether hardware for `offered` computes with values of `asked` as well; widths aside.
bool Includes(const Format& offered, const Format& asked, bool of_weight) {
  if (!asked.HasScale()) return true;  // float16 and float32 are a matter of widths
  const bool scheme = asked.scheme == offered.scheme || offered.scheme == Scheme::Asymmetric;
  const bool granularity = !of_weight || asked.granularity == offered.granularity ||
                           (asked.granularity == Granularity::Tensor && offered.granularity == Granularity::Channel);
  const bool scales = asked.scale_type == offered.scale_type ||
                      (asked.scale_type == ScaleType::PowerOfTwo && offered.scale_type == ScaleType::Float32);
  const bool range = (asked.narrow_range || !offered.narrow_range) && (asked.reduce_range || !offered.reduce_range);
  return asked.type == offered.type && (scheme || !asked.IsInteger()) && granularity && scales && range;
}

class PlanChecker {
 public:
  PlanChecker(const Plan& plan, const Network& network, const Target& target)
      : network_(network), target_(target), placement_(Place(network, target)) {
    for (const LayerPlan& layer : plan.layers) layers_.emplace(layer.name, &layer);
    for (const OperandPlan& operand : plan.operands) operands_.emplace(operand.name, &operand.format);
  }

  void Check() const {
    for (std::size_t i = 0; i < network_.layers().size(); ++i) CheckLayer(static_cast<int>(i));
    for (const PlacedTensor& tensor : placement_.tensors) CheckTensor(tensor);
    for (const auto& [name, format] : operands_) CheckIsPlaced(name);
  }

 private:
  void CheckLayer(int index) const {
    const Layer& layer = network_.layers()[static_cast<std::size_t>(index)];
    const auto found = layers_.find(layer.name);
    if (found == layers_.end())
      throw Error(fmt::format("the plan is another model's: it says nothing of layer '{}'", layer.name));
    const LayerPlan& plan = *found->second;
    const auto offer = target::OfferFor(network_.layers(), static_cast<std::size_t>(index), target_);
    if (!offer) {
      if (plan.weight.bits < 32 || plan.activation.bits < 32)
        Refuse(fmt::format("layer '{}'", layer.name),
               fmt::format("{} bits for a {}", std::min(plan.weight.bits, plan.activation.bits), layer.op),
               fmt::format("float alone; of integers {}", Names(target_.layers)));
      return;
    }
    CheckFormat(fmt::format("layer '{}', weight", layer.name), plan.weight, offer->weight_bits, target_.weight, true);
    if (layer.HasInputSite())
      CheckFormat(fmt::format("layer '{}', input", layer.name), plan.activation, offer->input_bits, target_.activation,
                  false);
  }

  /// A tensor's operands, and that all who read it find the same grid.
  void CheckTensor(const PlacedTensor& tensor) const {
    const Format* first = nullptr;
    for (std::size_t i = 0; i < tensor.sites.size(); ++i) {
      const Format* format = nullptr;
      if (const auto layer = layers_.find(tensor.readers[i]); layer != layers_.end()) {
        format = &layer->second->activation;
      } else {
        const std::string what = fmt::format("operand '{}'", tensor.sites[i]);
        const auto operand = operands_.find(tensor.sites[i]);
        const OperandOffer& offer = target_.operators.at(target::KindOfOperator(tensor.readers[i]));
        if (operand == operands_.end()) Refuse(what, "float", fmt::format("{} bits", fmt::join(offer.bits, ", ")));
        format = operand->second;
        CheckFormat(what, *format, offer.bits, target_.activation, false);
      }
      if (first && !(*first == *format))
        throw Error(
            fmt::format("target {} cannot run the plan: '{}' and '{}' read the same tensor, which it keeps on one "
                        "grid, but the plan has "
                        "two formats for it ({} and {} bits)",
                        target_.name, tensor.readers[0], tensor.readers[i], first->bits, format->bits));
      first = format;
    }
  }

  /// That the target quantizes an operand of the plan.
  void CheckIsPlaced(const std::string& name) const {
    for (const PlacedTensor& tensor : placement_.tensors)
      if (std::find(tensor.sites.begin(), tensor.sites.end(), name) != tensor.sites.end()) return;
    for (const LeftInFloat& left : placement_.left_in_float)
      if (left.site == name)
        Refuse(fmt::format("operand '{}'", name), "integers", fmt::format("float: {}", left.reason));
    throw Error(fmt::format("the plan is another model's: the network has no operand '{}'", name));
  }

  void CheckFormat(const std::string& what, const Format& asked, const std::vector<int>& widths, const Format& offered,
                   bool of_weight) const {
    if (std::find(widths.begin(), widths.end(), asked.bits) == widths.end())
      Refuse(what, fmt::format("{} bits", asked.bits), fmt::format("{} bits", fmt::join(widths, ", ")));
    if (!Includes(offered, asked, of_weight)) Refuse(what, Describe(asked, of_weight), Describe(offered, of_weight));
  }

  [[noreturn]] void Refuse(const std::string& what, const std::string& asked, const std::string& offered) const {
    throw Error(fmt::format("target {} cannot run the plan: {}: the plan asks for {}, the target offers {}",
                            target_.name, what, asked, offered));
  }

  static std::string Names(const std::map<std::string, LayerOffer>& layers) {
    std::vector<std::string> names;
    for (const auto& [op, offer] : layers) names.push_back(op);
    return text::Shortened(names);
  }

  const Network& network_;
  const Target& target_;
  Placement placement_;
  std::map<std::string, const LayerPlan*> layers_;
  std::map<std::string, const Format*> operands_;
};

}  // namespace

void CheckPlan(const Plan& plan, const Network& network, const Target& target) {
  PlanChecker(plan, network, target).Check();
}

}  // namespace bitplan
