#include <fmt/format.h>

#include "bitplan/error.h"
#include "recipes/python_text.h"
#include "recipes/recipe.h"
#include "recipes/recipes.h"

namespace bitplan::exporters {

namespace {

using nlohmann::ordered_json;

// Brevitas divides what a scale is initialized with by 2^{b−1}, as long as the range is not narrow.
constexpr const char* kBrevitasCode =
    R"(# Written by bitplan, for Brevitas: model = quantize(model) gives its layers these widths and scales.
# By module: bits, scales (one a channel, or one), whether there is a scale for each channel.
LAYERS = {}


def quantize(model):
    import torch
    from brevitas import nn as qnn
    from brevitas.inject.enum import ScalingImplType
    from brevitas.quant import Int8WeightPerTensorFloat as Weight

    for name, (bits, scales, by_channel) in LAYERS.items():
        layer = model.get_submodule(name)
        axis = 1 if "Transpose" in type(layer).__name__ else 0
        shape = [len(scales) if by_channel and i == axis else 1 for i in range(layer.weight.dim())] if by_channel else []
        quant = Weight.let(bit_width=bits, narrow_range=False, scaling_per_output_channel=by_channel,
                           scaling_impl_type=ScalingImplType.CONST, scaling_init=torch.tensor(scales).view(shape) * 2 ** (bits - 1))
        names = ["in_features", "out_features"] if isinstance(layer, torch.nn.Linear) else [
            "in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups"]
        made = getattr(qnn, "Quant" + type(layer).__name__)(
            **{{key: getattr(layer, key) for key in names}}, bias=layer.bias is not None, weight_quant=quant)
        made.load_state_dict(layer.state_dict(), strict=False)
        parent, _, last = name.rpartition(".")
        setattr(model.get_submodule(parent), last, made)
    return model.eval()
)";

class BrevitasPython : public Recipe {
 public:
  BrevitasPython() : Recipe("brevitas", "a Python file that gives Brevitas' layers widths and scales of weights") {}

  ExporterTraits Traits(std::string_view /*flavor*/) const override {
    ExporterTraits traits;
    traits.weights = {{2, 3, 4, 5, 6, 7, 8}, {Scheme::Symmetric}, {}, {Granularity::Tensor, Granularity::Channel}};
    traits.layer_ops = {"linear", "conv1d", "conv2d", "conv3d"};
    return traits;
  }

  void Write(const QuantizedNetwork& network, const ExportOptions& /*options*/, const ByteSink& sink) const override {
    ordered_json by_module = ordered_json::object();
    const std::vector<Layer>& layers = network.network().layers();
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const QuantizedTensor& weight = network.weights()[i];
      if (!weight.format.HasScale()) continue;
      by_module[ModuleOf(network.network(), layers[i], name())] = ordered_json::array(
          {weight.format.bits, NumbersOf(weight.scale), weight.format.granularity == Granularity::Channel});
    }
    std::string lines = "{\n";
    for (const auto& [module, value] : by_module.items())
      lines += fmt::format("    {}: {},\n", PythonText(module), PythonText(value));
    sink(fmt::format(fmt::runtime(kBrevitasCode), lines + "}"));
  }
};

}  // namespace

std::shared_ptr<const Exporter> BrevitasRecipe() { return std::make_shared<BrevitasPython>(); }

}  // namespace bitplan::exporters
