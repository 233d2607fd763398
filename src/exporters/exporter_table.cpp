// What exporters say of themselves, as `export --list` and docs/exports.md have it.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bitplan/export.h"
#include "traits.h"

namespace bitplan {

namespace {

std::string CarriedBeside(const ExporterTraits& traits) {
  std::vector<std::string> carried;
  if (traits.scales) carried.emplace_back("scales, zero points");
  if (traits.values) carried.emplace_back("codes or values, roundings, corrections");
  if (traits.operands) carried.emplace_back("operands");
  if (traits.outliers) carried.emplace_back("outliers");
  if (traits.inputs.dynamic) carried.emplace_back("ranges at run time");
  return carried.empty() ? "widths alone" : fmt::format("{}", fmt::join(carried, ", "));
}

std::string Refused(const ExporterTraits& traits) {
  std::vector<std::string> refused;
  if (!traits.layer_ops.empty()) refused.push_back(fmt::format("layers but {}", fmt::join(traits.layer_ops, ", ")));
  if (!traits.operands) refused.emplace_back("operands");
  if (traits.scales && !traits.values) refused.emplace_back("roundings, rescaling, output correction");
  if (traits.scales && !traits.outliers) refused.emplace_back("outliers");
  if (!traits.inputs.dynamic && !(traits.inputs.integer_bits.empty() && traits.inputs.other_types.empty()))
    refused.emplace_back("ranges at run time");
  if (!traits.weights.narrow) refused.emplace_back("narrow ranges");
  return refused.empty() ? "nothing" : fmt::format("{}", fmt::join(refused, "; "));
}

}  // namespace

std::vector<std::vector<std::string>> ExporterTable() {
  std::vector<std::vector<std::string>> rows{
      {"exporter", "what it writes", "weights", "inputs", "carries", "refuses", "--from"}};
  for (const auto& exporter : Exporters()) {
    std::vector<std::string> flavors = exporter->flavors();
    if (flavors.empty()) flavors.emplace_back();
    for (const std::string& flavor : flavors) {
      const ExporterTraits traits = exporter->Traits(flavor);
      rows.push_back({exporters::NameOf(*exporter, flavor),
                      fmt::format("{}{}", traits.folder ? "folder: " : "", exporter->description()),
                      exporters::TextOf(traits.weights), exporters::TextOf(traits.inputs), CarriedBeside(traits),
                      Refused(traits), traits.from.empty() ? "–" : traits.from});
    }
  }
  return rows;
}

}  // namespace bitplan
