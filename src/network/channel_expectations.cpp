#include "network/channel_expectations.h"

#include <ATen/ATen.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <string>

#include "network/lowered_graph.h"
#include "network/operator_arguments.h"
#include "network/operator_traits.h"
#include "network/probe_operator.h"

namespace bitplan::network {

namespace {

using torch::jit::Node;
using torch::jit::Value;

struct Moments {
  at::Tensor mean, variance;  // float64 [channels]
};

/// Of a normal variable clipped to [low, high], high possibly infinite (Nagel et al. 2019, appendix C).
Moments Clipped(const Moments& normal, double low, double high) {
  const at::Tensor deviation = normal.variance.sqrt().clamp_min(1e-12);
  const auto density = [](const at::Tensor& z) { return (z.square() * -0.5).exp() / std::sqrt(2 * std::numbers::pi); };
  const auto share = [](const at::Tensor& z) { return 0.5 * at::erfc(-z / std::numbers::sqrt2); };
  const at::Tensor a = (low - normal.mean) / deviation;
  const bool bounded = high < std::numeric_limits<double>::infinity();
  const at::Tensor b = bounded ? (high - normal.mean) / deviation : at::full_like(a, 40);
  const at::Tensor inside = share(b) - share(a), above = 1 - share(b);
  const at::Tensor first = normal.mean * inside + deviation * (density(a) - density(b));
  const at::Tensor second = (normal.mean.square() + normal.variance) * inside +
                            normal.mean * deviation * 2 * (density(a) - density(b)) +
                            normal.variance * ((a * density(a)) - (b * density(b)));
  const double top = bounded ? high : 0;
  const at::Tensor mean = first + low * share(a) + top * above;
  const at::Tensor square = second + low * low * share(a) + top * top * above;
  return {mean, (square - mean.square()).clamp_min(0)};
}

class Expectations {
 public:
  explicit Expectations(const Network& network) : network_(network), lowered_(network.lowered()) {}

  std::optional<Moments> Of(const Value* value) const {
    const Node* const node = value->node();
    if (node->kind() == TapSymbol()) return OfTap(node);
    if (!node->kind().is_aten() || node->inputs().empty()) return std::nullopt;
    const std::string op = OperatorName(node);
    if (Has(op, OperatorTrait::PassesMean)) return Of(Subject(node));
    if (op == "relu" || op == "relu_") return Clip(node, 0, std::numeric_limits<double>::infinity());
    if (op == "relu6" || op == "relu6_") return Clip(node, 0, 6);
    if (op == "hardtanh" || op == "hardtanh_") return ClipBetween(node);
    if (op == "add" || op == "add_") return Sum(node);
    if (op == "batch_norm") return Normalized(Argument(node, "weight"), Argument(node, "bias"));
    return std::nullopt;
  }

  std::optional<at::Tensor> OfInput(std::size_t layer) const {
    const int site = network_.layers()[layer].uses.front().input_site;
    for (const Node* node : AllNodes(lowered_.graph->block()))
      if (node->kind() == TapSymbol() && site >= 0 && lowered_.SiteOf(node) == site) {
        const auto moments = Of(Tapped(node));
        return moments ? std::optional(moments->mean) : std::nullopt;
      }
    return std::nullopt;
  }

 private:
  std::optional<Moments> OfTap(const Node* tap) const {
    const int site = lowered_.SiteOf(tap);
    if (network_.sites()[static_cast<std::size_t>(site)].kind != Site::Kind::LayerOutput) return Of(Tapped(tap));
    for (const Layer& layer : network_.layers())
      for (const LayerUse& use : layer.uses) {
        if (use.output_site != site) continue;
        const auto folded =
            lowered_.folded_norms.find(network_.parameters()[static_cast<std::size_t>(layer.weight)].name);
        if (folded == lowered_.folded_norms.end()) return std::nullopt;
        return Moments{folded->second.mean, folded->second.deviation.square()};
      }
    return std::nullopt;
  }

  std::optional<Moments> Normalized(const Value* weight, const Value* bias) const {
    const auto gamma = lowered_.ParameterOf(weight), beta = lowered_.ParameterOf(bias);
    if (!gamma || !beta) return std::nullopt;
    const auto value = [&](std::size_t index) { return lowered_.parameters[index].value.to(at::kDouble); };
    return Moments{value(*beta), value(*gamma).square()};
  }

  std::optional<Moments> Clip(const Node* node, double low, double high) const {
    const auto before = Of(Subject(node));
    return before ? std::optional(Clipped(*before, low, high)) : std::nullopt;
  }

  std::optional<Moments> ClipBetween(const Node* node) const {
    const auto low = NumberArgument(node, "min_val"), high = NumberArgument(node, "max_val");
    return low && high ? Clip(node, *low, *high) : std::nullopt;
  }

  std::optional<Moments> Sum(const Node* node) const {
    const Value *const self = Argument(node, "self"), *const other = Argument(node, "other");
    if (!self || !other) return std::nullopt;
    const auto left = Of(self), right = Of(other);
    if (!left || !right || left->mean.numel() != right->mean.numel()) return std::nullopt;
    if (Argument(node, "alpha") && NumberArgument(node, "alpha") != 1) return std::nullopt;
    return Moments{left->mean + right->mean, left->variance + right->variance};
  }

  const Network& network_;
  const LoweredGraph& lowered_;
};

}  // namespace

std::optional<at::Tensor> ExpectedInput(const Network& network, std::size_t layer) {
  return Expectations(network).OfInput(layer);
}

}  // namespace bitplan::network
