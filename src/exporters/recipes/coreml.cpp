#include <fmt/format.h>

#include "bitplan/error.h"
#include "recipes/recipe.h"
#include "recipes/recipes.h"
#include "torchscript.h"

namespace bitplan::exporters {

namespace {

/// coremltools converts TorchScript, and keeps grids of weights that buffers beside them describe.
class CoreMl : public Recipe {
 public:
  CoreMl() : Recipe("coreml", "TorchScript with the buffers by which coremltools keeps codes and scales of weights") {}

  ExporterTraits Traits(std::string_view /*flavor*/) const override {
    ExporterTraits traits;
    traits.weights = {{2, 3, 4, 5, 6, 7, 8},
                      {Scheme::Symmetric, Scheme::Asymmetric},
                      {},
                      {Granularity::Tensor, Granularity::Channel, Granularity::Group}};
    traits.weights.narrow = true;
    traits.values = true;
    return traits;
  }

  void Write(const QuantizedNetwork& network, const ExportOptions& /*options*/, const ByteSink& sink) const override {
    for (std::size_t i = 0; i < network.weights().size(); ++i) {
      const QuantizedTensor& weight = network.weights()[i];
      if (weight.format.InGroups() && (weight.q.dim() != 2 || weight.channel_axis != 0))
        throw Error(fmt::format("layer {}: coreml has no place for groups of a weight that is not [out, in]",
                                network.network().layers()[i].name));
    }
    WriteTorchScript(network, WeightForm::CoreMl, sink);
  }
};

}  // namespace

std::shared_ptr<const Exporter> CoreMlRecipe() { return std::make_shared<CoreMl>(); }

}  // namespace bitplan::exporters
