#include "rounding_report.h"

#include <fmt/format.h>

#include <map>
#include <string_view>
#include <vector>

#include "plan/json_writer.h"

namespace bitplan::cli {

namespace {

/// The first few names, and how many more there are.
std::string Some(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 3;
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < kShown; ++i) text += (i == 0 ? "" : ", ") + names[i];
  return names.size() > kShown ? fmt::format("{} and {} more", text, names.size() - kShown) : text;
}

}  // namespace

void PrintRoundings(const QuantizedNetwork& quantized) {
  const std::string_view asked = ToString(quantized.plan().corrections.rounding);
  std::map<std::string, std::vector<std::string>> nearest;  // layers by reason
  std::vector<std::string> in_blocks;
  for (std::size_t i = 0; i < quantized.roundings().size(); ++i) {
    const LayerRounding& rounding = quantized.roundings()[i];
    const std::string& name = quantized.network().layers()[i].name;
    if (!rounding.reason.empty()) nearest[rounding.reason].push_back(name);
    if (rounding.input_blocks > 1) in_blocks.push_back(fmt::format("{} ({})", name, rounding.input_blocks));
  }
  for (const auto& [reason, layers] : nearest)
    fmt::print("rounding {}: {} of {} layers keep the nearest code, {}: {}\n", asked, layers.size(),
               quantized.roundings().size(), Some(layers), reason);
  if (!in_blocks.empty())
    fmt::print(
        "rounding {}: in blocks of the inputs, whose second moments do not fit the memory together: {}; more "
        "--memory does without\n",
        asked, Some(in_blocks));
}

std::string WithRoundings(const std::string& json, const QuantizedNetwork& quantized) {
  if (quantized.plan().corrections.rounding == Rounding::Nearest) return json;
  plan::Json result = plan::Json::parse(json);
  plan::Json& told = result["rounding"];
  told["asked"] = ToString(quantized.plan().corrections.rounding);
  told["nearest"] = plan::Json::array();
  told["blocks"] = plan::Json::object();
  for (std::size_t i = 0; i < quantized.roundings().size(); ++i) {
    const LayerRounding& rounding = quantized.roundings()[i];
    const std::string& name = quantized.network().layers()[i].name;
    if (!rounding.reason.empty()) told["nearest"].push_back({{"layer", name}, {"reason", rounding.reason}});
    if (rounding.input_blocks > 1) told["blocks"][name] = rounding.input_blocks;
  }
  return plan::JsonText(result);
}

}  // namespace bitplan::cli
