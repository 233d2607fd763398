#include <fmt/format.h>

#include "bitplan/error.h"
#include "recipes/python_text.h"
#include "recipes/recipe.h"
#include "recipes/recipes.h"
#include "recipes/tensor_names.h"

namespace bitplan::exporters {

namespace {

using nlohmann::ordered_json;

constexpr const char* kOrtCode =
    R"(# Written by bitplan, for onnxruntime.quantization: extra_options={{"TensorQuantOverrides": tensor_quant_overrides()}}.
# By initializer: type, axis (None: one scale a tensor), scales, zero points.
TENSORS = {}


def tensor_quant_overrides():
    import numpy as np
    from onnxruntime.quantization import QuantType

    made = {{}}
    for name, (kind, axis, scales, zeros) in TENSORS.items():
        number = np.int8 if kind.startswith("QI") else np.uint8
        of = {{"quant_type": getattr(QuantType, kind)}} | ({{}} if axis is None else {{"axis": axis}})
        made[name] = [of | {{"scale": np.array(s, np.float32), "zero_point": np.array(z, number)}} for s, z in zip(scales, zeros)]
    return made
)";

class OrtOverrides : public Recipe {
 public:
  OrtOverrides()
      : Recipe("ort-overrides", "a Python file with ONNX Runtime's TensorQuantOverrides of weights, by initializer") {}

  ExporterTraits Traits(std::string_view /*flavor*/) const override {
    ExporterTraits traits;
    traits.weights = {{4, 8},
                      {Scheme::Symmetric, Scheme::Asymmetric, Scheme::Unsigned},
                      {},
                      {Granularity::Tensor, Granularity::Channel}};
    return traits;
  }

  void Write(const QuantizedNetwork& network, const ExportOptions& /*options*/, const ByteSink& sink) const override {
    std::string lines = "{\n";
    const TensorNames names(network.network(), name());
    for (std::size_t i = 0; i < network.weights().size(); ++i) {
      const QuantizedTensor& weight = network.weights()[i];
      if (!weight.format.HasScale()) continue;
      const NamedWeight named = names.WeightOf(i);
      const std::string kind =
          fmt::format("Q{}Int{}", weight.format.scheme == Scheme::Symmetric ? "" : "U", weight.format.bits);
      const ordered_json axis =
          weight.format.granularity == Granularity::Channel ? ordered_json(named.channel_axis) : ordered_json();
      ordered_json zeros = ordered_json::array();
      for (const double zero : NumbersOf(weight.zero_point)) zeros.push_back(static_cast<std::int64_t>(zero));
      lines += fmt::format("    {}: {},\n", PythonText(named.name),
                           PythonText(ordered_json::array({kind, axis, NumbersOf(weight.scale), zeros})));
    }
    sink(fmt::format(fmt::runtime(kOrtCode), lines + "}"));
  }
};

}  // namespace

std::shared_ptr<const Exporter> OrtOverridesRecipe() { return std::make_shared<OrtOverrides>(); }

}  // namespace bitplan::exporters
