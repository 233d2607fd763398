#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "bitplan/export.h"

namespace bitplan::exporters {

/// An exporter of one text, that is made at once.
class Recipe : public Exporter {
 public:
  std::string_view name() const override { return name_; }
  std::string_view description() const override { return description_; }

  /// Scales of weights are of the layers as they were quantized: with batch norm folded in.
  std::vector<std::string> Remarks(const Network& network, const Plan& plan,
                                   const ExportOptions& options) const override;

 protected:
  Recipe(std::string name, std::string description) : name_(std::move(name)), description_(std::move(description)) {}

 private:
  std::string name_, description_;
};

/// Of types and widths alone.
class WidthRecipe : public Recipe {
 public:
  using Text = std::function<std::string(const Network& network, const Plan& plan)>;
  WidthRecipe(std::string name, std::string description, ExporterTraits traits, Text text)
      : Recipe(std::move(name), std::move(description)), traits_(std::move(traits)), text_(std::move(text)) {
    traits_.scales = false;
  }

  ExporterTraits Traits(std::string_view /*flavor*/) const override { return traits_; }
  void WritePlan(const Network& network, const Plan& plan, const ExportOptions& /*options*/,
                 const ByteSink& sink) const override {
    sink(text_(network, plan));
  }

 private:
  ExporterTraits traits_;
  Text text_;
};

/// The form of all JSON that recipes write.
std::string RecipeText(const nlohmann::ordered_json& json);

/// A layer's module, in whose parameter `weight` it is. Throws Error naming `tool` where the weight is no such one.
std::string ModuleOf(const Network& network, const Layer& layer, std::string_view tool);

/// The weight's name in the model.
const std::string& WeightName(const Network& network, const Layer& layer);

/// What a layer reads on a grid; null where it reads floats. Throws Error naming `tool` where it reads tensors of two
/// ranges, as modules that are called several times do.
const QuantizedInput* InputOf(const QuantizedNetwork& network, std::size_t layer, std::string_view tool);

/// `text` as a regular expression that matches it alone: with \ before dots.
std::string Escaped(std::string_view text);

/// A tensor's numbers in row-major order.
std::vector<double> NumbersOf(const at::Tensor& tensor);

/// The most frequent of the layers' weight formats; the first of as many.
Format CommonFormat(const std::vector<LayerPlan>& layers);

}  // namespace bitplan::exporters
