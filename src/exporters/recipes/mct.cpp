#include <fmt/format.h>

#include <algorithm>

#include "recipes/python_text.h"
#include "recipes/recipe.h"
#include "recipes/recipes.h"

namespace bitplan::exporters {

namespace {

constexpr const char* kMctCode =
    R"(# Written by bitplan, for the Model Compression Toolkit: bit_width_config() is core_config.bit_width_config.
# By node, as torch.fx names modules: bits of the weight.
WEIGHT_BITS = {}


def bit_width_config():
    from model_compression_toolkit.core import BitWidthConfig
    from model_compression_toolkit.core.common.network_editors import NodeNameFilter

    config = BitWidthConfig()
    config.set_manual_weights_bit_width([NodeNameFilter(name) for name in WEIGHT_BITS], list(WEIGHT_BITS.values()),
                                        ["weight"] * len(WEIGHT_BITS))
    return config
)";

std::string MctPython(const Network& network, const Plan& plan) {
  nlohmann::ordered_json bits = nlohmann::ordered_json::object();
  for (std::size_t i = 0; i < plan.layers.size(); ++i) {
    if (!plan.layers[i].weight.HasScale()) continue;
    std::string node = ModuleOf(network, network.layers()[i], "mct");
    std::replace(node.begin(), node.end(), '.', '_');
    bits[node] = plan.layers[i].weight.bits;
  }
  return fmt::format(fmt::runtime(kMctCode), PythonText(bits));
}

}  // namespace

std::shared_ptr<const Exporter> MctRecipe() {
  ExporterTraits traits;
  traits.weights = {{2, 4, 8}, {Scheme::Symmetric}, {}, {Granularity::Channel}};
  traits.layer_ops = {"linear", "conv2d"};
  return std::make_shared<WidthRecipe>(
      "mct", "a Python file with the weights' widths for Sony's Model Compression Toolkit", traits, MctPython);
}

}  // namespace bitplan::exporters
