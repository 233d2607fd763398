#include "bitplan/export.h"

#include <fmt/format.h>

#include "bitplan/error.h"
#include "packed.h"
#include "text/shortened.h"
#include "torchscript.h"

namespace bitplan {

std::vector<std::shared_ptr<const Exporter>> Exporters() {
  return {std::make_shared<exporters::TorchScript>(), std::make_shared<exporters::Packed>()};
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

void Export(const QuantizedNetwork& network, const Exporter& exporter, const std::filesystem::path& file) {
  WriteFile(file, [&](const ByteSink& sink) { exporter.Write(network, sink); });
}

void Export(const QuantizedNetwork& network, std::string_view exporter, const std::filesystem::path& file) {
  Export(network, *FindExporter(exporter), file);
}

void QuantizedNetwork::Save(const std::filesystem::path& file) const { Export(*this, exporters::TorchScript(), file); }

void QuantizedNetwork::SavePacked(const std::filesystem::path& file) const { Export(*this, exporters::Packed(), file); }

}  // namespace bitplan
