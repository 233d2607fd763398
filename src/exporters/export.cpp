#include "bitplan/export.h"

#include <fmt/format.h>

#include <stdexcept>

#include "bitplan/error.h"
#include "onnx_qdq.h"
#include "packed.h"
#include "quantize/plan_check.h"
#include "recipes/recipes.h"
#include "text/shortened.h"
#include "torchscript.h"
#include "traits.h"
#include "whole_folder.h"

namespace bitplan {

std::vector<std::string> Exporter::flavors() const { return {}; }

std::vector<std::string> Exporter::Remarks(const Network&, const Plan&, const ExportOptions&) const { return {}; }

void Exporter::Write(const QuantizedNetwork&, const ExportOptions&, const ByteSink&) const {
  throw std::logic_error(fmt::format("{} writes no file of a quantized network", name()));
}

void Exporter::WritePlan(const Network&, const Plan&, const ExportOptions&, const ByteSink&) const {
  throw std::logic_error(fmt::format("{} writes no file of a plan alone", name()));
}

void Exporter::WriteFolder(const QuantizedNetwork&, const ExportOptions&, const std::filesystem::path&) const {
  throw std::logic_error(fmt::format("{} writes no folder", name()));
}

std::vector<std::shared_ptr<const Exporter>> Exporters() {
  return {std::make_shared<exporters::TorchScript>(),
          std::make_shared<exporters::Packed>(),
          std::make_shared<exporters::OnnxQdq>(),
          exporters::AimetRecipe(),
          exporters::ModelOptRecipe(),
          exporters::TorchAoRecipe(),
          exporters::TorchAoCodesRecipe(),
          exporters::GptqModelRecipe(),
          exporters::AutoRoundRecipe(),
          exporters::GgufTypesRecipe(),
          exporters::OrtOverridesRecipe(),
          exporters::BrevitasRecipe(),
          exporters::MctRecipe(),
          exporters::CoreMlRecipe(),
          exporters::HawqRecipe(),
          exporters::HaqRecipe()};
}

std::vector<std::string> ExporterNames() {
  std::vector<std::string> names;
  for (const auto& exporter : Exporters()) names.emplace_back(exporter->name());
  return names;
}

std::shared_ptr<const Exporter> FindExporter(std::string_view name) {
  for (auto& exporter : Exporters())
    if (exporter->name() == name) return exporter;
  throw Error(fmt::format("unknown exporter '{}', must be one of: {}", name, text::Shortened(ExporterNames(), 99)));
}

void Export(const QuantizedNetwork& network, const Exporter& exporter, const std::filesystem::path& file,
            const ExportOptions& options) {
  exporters::CheckCarried(network.network(), network.plan(), exporter, options);
  const ExporterTraits traits = exporter.Traits(exporters::FlavorOf(exporter, options));
  if (traits.folder) {
    exporters::WriteWholeFolder(
        file, [&](const std::filesystem::path& folder) { exporter.WriteFolder(network, options, folder); });
    return;
  }
  WriteFile(file, [&](const ByteSink& sink) {
    if (traits.scales)
      exporter.Write(network, options, sink);
    else
      exporter.WritePlan(network.network(), network.plan(), options, sink);
  });
}

void Export(const QuantizedNetwork& network, std::string_view exporter, const std::filesystem::path& file,
            const ExportOptions& options) {
  Export(network, *FindExporter(exporter), file, options);
}

void ExportPlan(const Network& network, const Plan& plan, const Exporter& exporter, const std::filesystem::path& file,
                const ExportOptions& options) {
  const Plan ordered = quantize::PlanFor(network, plan);
  exporters::CheckCarried(network, ordered, exporter, options);
  if (exporter.Traits(exporters::FlavorOf(exporter, options)).scales)
    throw Error(
        fmt::format("{} writes scales: the plan must be applied first (QuantizedNetwork::Create)", exporter.name()));
  WriteFile(file, [&](const ByteSink& sink) { exporter.WritePlan(network, ordered, options, sink); });
}

void QuantizedNetwork::Save(const std::filesystem::path& file) const { Export(*this, exporters::TorchScript(), file); }

void QuantizedNetwork::SavePacked(const std::filesystem::path& file) const { Export(*this, exporters::Packed(), file); }

}  // namespace bitplan
