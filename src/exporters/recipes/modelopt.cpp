#include <fmt/format.h>

#include "bitplan/error.h"
#include "recipes/recipe.h"
#include "recipes/recipes.h"

namespace bitplan::exporters {

namespace {

using nlohmann::ordered_json;

/// The largest magnitude of a grid with this scale, from which ModelOpt finds the scale again: amax / (2^{b−1} − 1), of
/// unsigned grids amax / (2^b − 1), of E4M3 amax / 448.
double LargestOf(const Format& format, bool is_unsigned, double scale) {
  if (format.type == NumberType::E4M3) return scale * 448;
  return scale * ((1 << (is_unsigned ? format.bits : format.bits - 1)) - 1);
}

ordered_json NumBits(const Format& format) {
  if (format.type == NumberType::E4M3) return ordered_json::array({4, 3});
  return format.bits;
}

/// NVIDIA ModelOpt's configuration, a list of rules of which the last that matches counts.
class ModelOpt : public Recipe {
 public:
  ModelOpt() : Recipe("modelopt", "NVIDIA ModelOpt's quant_cfg, and beside it amax of every quantizer, as JSON") {}

  ExporterTraits Traits(std::string_view /*flavor*/) const override {
    ExporterTraits traits;
    traits.weights = {{2, 3, 4, 5, 6, 7, 8},
                      {Scheme::Symmetric},
                      {NumberType::E4M3},
                      {Granularity::Tensor, Granularity::Channel, Granularity::Group}};
    traits.inputs = {
        {2, 3, 4, 5, 6, 7, 8}, {Scheme::Symmetric, Scheme::Unsigned, Scheme::AutoSigned}, {NumberType::E4M3}};
    return traits;
  }

  void Write(const QuantizedNetwork& network, const ExportOptions& /*options*/, const ByteSink& sink) const override;
};

ordered_json WeightConfiguration(const QuantizedTensor& weight) {
  ordered_json config = {{"num_bits", NumBits(weight.format)}};
  if (weight.format.granularity == Granularity::Channel)
    config["axis"] = weight.channel_axis;
  else if (weight.format.InGroups())
    config["block_sizes"] = {{"-1", weight.format.group_size}};
  else
    config["axis"] = nullptr;
  return config;
}

/// Symmetric grids that AutoSigned chose have their zero in the middle.
bool IsUnsigned(const QuantizedInput& input) {
  return input.format.IsInteger() && input.format.scheme != Scheme::Symmetric && input.range.zero_point == 0;
}

void ModelOpt::Write(const QuantizedNetwork& network, const ExportOptions& /*options*/, const ByteSink& sink) const {
  ordered_json rules = ordered_json::array({{{"quantizer_name", "*"}, {"enable", false}}});
  ordered_json largest = ordered_json::object();
  const std::vector<Layer>& layers = network.network().layers();
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const QuantizedTensor& weight = network.weights()[i];
    const QuantizedInput* const input = InputOf(network, i, name());
    if (!weight.format.HasScale() && !input) continue;
    const std::string module = ModuleOf(network.network(), layers[i], name());
    if (weight.format.InGroups() && weight.q.dim() != 2)
      throw Error(fmt::format("layer {}: modelopt has no place for groups of a weight with {} axes", layers[i].name,
                              weight.q.dim()));
    if (weight.format.HasScale()) {
      rules.push_back({{"quantizer_name", module + ".weight_quantizer"}, {"cfg", WeightConfiguration(weight)}});
      std::vector<double> amax = NumbersOf(weight.scale);
      for (double& number : amax) number = LargestOf(weight.format, false, number);
      largest[module + ".weight_quantizer"] = amax;
    }
    if (input) {
      const bool is_unsigned = IsUnsigned(*input);
      ordered_json config = {{"num_bits", NumBits(input->format)}, {"axis", nullptr}};
      if (is_unsigned) config["unsigned"] = true;
      rules.push_back({{"quantizer_name", module + ".input_quantizer"}, {"cfg", config}});
      largest[module + ".input_quantizer"] = {LargestOf(input->format, is_unsigned, input->range.scale)};
    }
  }
  sink(RecipeText({{"quant_cfg", rules}, {"algorithm", "max"}, {"amax", largest}}));
}

}  // namespace

std::shared_ptr<const Exporter> ModelOptRecipe() { return std::make_shared<ModelOpt>(); }

}  // namespace bitplan::exporters
