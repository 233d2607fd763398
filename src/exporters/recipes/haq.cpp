#include <fmt/format.h>

#include "recipes/python_text.h"
#include "recipes/recipe.h"
#include "recipes/recipes.h"

namespace bitplan::exporters {

namespace {

// HAQ's list is in the order of model.modules(), which need not be that of execution.
constexpr const char* kHaqCode =
    R"(# Written by bitplan, for HAQ's finetune.py: strategy(model) is the list of widths that it asks for.
# By module: bits of the weight.
WEIGHT_BITS = {}


def strategy(model):
    names = [name for name, module in model.named_modules() if type(module).__name__ in ("Conv2d", "Linear")]
    return [WEIGHT_BITS[name.replace("module.", "")] for name in names]
)";

std::string HaqPython(const Network& network, const Plan& plan) {
  nlohmann::ordered_json bits = nlohmann::ordered_json::object();
  for (std::size_t i = 0; i < plan.layers.size(); ++i)
    bits[ModuleOf(network, network.layers()[i], "haq")] = plan.layers[i].weight.bits;
  return fmt::format(fmt::runtime(kHaqCode), PythonText(bits));
}

}  // namespace

std::shared_ptr<const Exporter> HaqRecipe() {
  ExporterTraits traits;
  traits.weights = {{1, 2, 3, 4, 5, 6, 7, 8}, {Scheme::Symmetric}, {}, {Granularity::Channel, Granularity::Tensor}};
  traits.layer_ops = {"linear", "conv2d"};
  return std::make_shared<WidthRecipe>("haq", "a Python file with HAQ's list of weights' widths", traits, HaqPython);
}

}  // namespace bitplan::exporters
