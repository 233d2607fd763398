#include "packed_layout.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <set>

#include "bitplan/error.h"
#include "bitplan/quantize.h"
#include "calibration/double_quantize.h"
#include "quantize/plan_check.h"
#include "quantize/weight_grid.h"

namespace bitplan::exporters {

namespace {

constexpr std::size_t kAlignment = 8;  // every entry's, so that tensors begin aligned whatever the header holds

std::string Quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string Aligned(std::string entry) {
  entry.resize((entry.size() + kAlignment - 1) / kAlignment * kAlignment, ' ');
  return entry;
}

PackedTensor Floats(PackedRole role, std::string name, std::int64_t count, int index) {
  return {role, std::move(name), "F32", {count}, 4, index};
}

PackedTensor Bytes(PackedRole role, std::string name, std::int64_t count, int index) {
  return {role, std::move(name), "U8", {count}, 1, index};
}

PackedTensor ZeroPoints(PackedRole role, std::string name, std::int64_t count, int index, const Format& format) {
  if (format.bits <= 8) return Bytes(role, std::move(name), count, index);
  return {role, std::move(name), "I32", {count}, 4, index};
}

std::string TypeName(const Parameter& parameter) {
  switch (parameter.value.scalar_type()) {
    case at::kFloat:
      return "F32";
    case at::kLong:
      return "I64";
    case at::kInt:
      return "I32";
    case at::kShort:
      return "I16";
    case at::kChar:
      return "I8";
    case at::kByte:
      return "U8";
    case at::kBool:
      return "BOOL";
    default:
      throw Error(fmt::format("parameter '{}' is of type {}, which packed files do not hold", parameter.name,
                              c10::toString(parameter.value.scalar_type())));
  }
}

void AddWeight(const Network& network, std::size_t index, const LayerPlan& plan, PackedPart& part) {
  const Format& format = plan.weight;
  const Layer& layer = network.layers()[index];
  const at::Tensor weight = network.Weight(layer);
  const std::string& name = network.parameters()[static_cast<std::size_t>(layer.weight)].name;
  const int number = static_cast<int>(index);
  if (!format.HasScale()) {
    const bool half = format.bits == 16;
    const char* const type = !half ? "F32" : format.type == NumberType::Float16 ? "F16" : "BF16";
    part.tensors.push_back({PackedRole::Weight, name, type, weight.sizes().vec(), half ? 2 : 4, number});
    return;
  }
  const std::int64_t scales = quantize::ScaleCount(weight, format, layer.channel_axis);
  if (format.scale_type == ScaleType::Float32) {
    part.tensors.push_back(Floats(PackedRole::WeightScale, name + "/scale", scales, number));
  } else {
    part.tensors.push_back(Bytes(PackedRole::WeightScale, name + "/scale", scales, number));
  }
  if (format.scale_type == ScaleType::DoubleQuantized) {
    constexpr auto kBlock = static_cast<std::int64_t>(calibration::DoubleQuantizedScales::kBlock);
    part.tensors.push_back(
        Floats(PackedRole::ScaleBlock, name + "/scale_block", (scales + kBlock - 1) / kBlock, number));
    part.tensors.push_back(Floats(PackedRole::ScaleOffset, name + "/scale_offset", 1, number));
  }
  if (plan.learned_weight && !plan.learned_weight->negative_scales.empty())
    part.tensors.push_back(Floats(PackedRole::WeightNegativeScale, name + "/negative_scale", scales, number));
  part.tensors.push_back(Bytes(PackedRole::Weight, name, (weight.numel() * format.bits + 7) / 8, number));
  if (format.HasZeroPoint())
    part.tensors.push_back(ZeroPoints(PackedRole::WeightZeroPoint, name + "/zero_point", scales, number, format));
  part.notes.push_back({name, fmt::format("{};{};{};{};{}", format.bits, layer.channel_axis,
                                          fmt::join(weight.sizes(), ","), ToString(format.type), format.group_size)});
}

/// The sites that no earlier layer reads.
std::vector<int> OwnInputSites(const Network& network, std::size_t index) {
  std::set<int> earlier;
  for (std::size_t i = 0; i < index; ++i)
    for (const LayerUse& use : network.layers()[i].uses) earlier.insert(use.input_site);
  std::set<int> own;
  for (const LayerUse& use : network.layers()[index].uses)
    if (use.input_site >= 0 && !earlier.contains(use.input_site)) own.insert(use.input_site);
  return {own.begin(), own.end()};
}

void AddRange(const Network& network, int site, const Format& format, const std::optional<ActivationRange>& learned,
              PackedPart& part) {
  const std::string& name = network.sites()[static_cast<std::size_t>(site)].name;
  const bool dynamic = format.HasScale() && format.calibrator == Calibrator::Dynamic;
  part.notes.push_back({name, fmt::format("{};{}{}", format.bits, ToString(format.type), dynamic ? ";dynamic" : "")});
  if (!format.HasScale() || dynamic) return;
  part.tensors.push_back(Floats(PackedRole::InputScale, name + "/scale", 1, site));
  if (format.HasZeroPoint())
    part.tensors.push_back(ZeroPoints(PackedRole::InputZeroPoint, name + "/zero_point", 1, site, format));
  if (learned && learned->offset != 0)
    part.tensors.push_back(Floats(PackedRole::InputOffset, name + "/offset", 1, site));
}

void AddInputs(const Network& network, std::size_t index, const LayerPlan& plan, PackedPart& part) {
  if (plan.activation.bits == 32) return;
  for (const int site : OwnInputSites(network, index))
    AddRange(network, site, plan.activation, plan.learned_input, part);
}

/// Whether the channel correction of the layer is added to its output.
bool MayShift(const Network& network, std::size_t index, const LayerPlan& plan) {
  const Layer& layer = network.layers()[index];
  return layer.bias < 0 && (plan.weight.HasScale() || plan.activation.HasScale()) && !layer.uses.empty() &&
         std::all_of(layer.uses.begin(), layer.uses.end(), [](const LayerUse& use) { return use.output_site >= 0; });
}

}  // namespace

std::int64_t PackedTensor::Bytes() const {
  return std::accumulate(shape.begin(), shape.end(), element_size, std::multiplies<>());
}

std::string PackedTensor::Entry(std::int64_t begin, std::int64_t end) const {
  return Aligned(fmt::format(R"(,{}:{{"dtype":"{}","shape":[{}],"data_offsets":[{:12},{:12}]}})", Quoted(name), type,
                             fmt::join(shape, ","), begin, end));
}

std::string PackedNote::Entry() const { return Aligned(fmt::format(",{}:{}", Quoted(key), Quoted(value))); }

std::int64_t PackedPart::Bytes() const {
  std::size_t bytes = 0;
  for (const PackedTensor& tensor : tensors)
    bytes += static_cast<std::size_t>(tensor.Bytes()) + tensor.Entry(0, 0).size();
  for (const PackedNote& note : notes) bytes += note.Entry().size();
  return static_cast<std::int64_t>(bytes);
}

PackedPart FixedPart(const Network& network) {
  std::set<int> weights;
  for (const Layer& layer : network.layers()) weights.insert(layer.weight);
  PackedPart part;
  for (int i = 0; i < static_cast<int>(network.parameters().size()); ++i) {
    if (weights.contains(i)) continue;
    const Parameter& parameter = network.parameters()[static_cast<std::size_t>(i)];
    part.tensors.push_back({PackedRole::Parameter, parameter.name, TypeName(parameter), parameter.value.sizes().vec(),
                            static_cast<std::int64_t>(parameter.value.element_size()), i});
  }
  return part;
}

PackedPart LayerPart(const Network& network, std::size_t layer, const LayerPlan& plan, bool channel_correction) {
  PackedPart part;
  AddWeight(network, layer, plan, part);
  AddInputs(network, layer, plan, part);
  if (channel_correction && MayShift(network, layer, plan)) {
    const Layer& shifted = network.layers()[layer];
    part.tensors.push_back(Floats(PackedRole::OutputShift, shifted.name + "/shift",
                                  network.Weight(shifted).size(shifted.channel_axis), static_cast<int>(layer)));
  }
  return part;
}

PackedPart OperandPart(const Network& network, const std::vector<OperandPlan>& operands) {
  PackedPart part;
  for (const OperandPlan& operand : operands)
    AddRange(network, quantize::OperandSite(network, operand.name), operand.format, operand.learned, part);
  return part;
}

std::string HeaderText(const std::vector<std::string>& notes, const std::vector<std::string>& tensors) {
  const std::string begin = R"({"__metadata__":{"format":"bitplan.packed/1")";
  return Aligned(begin) + fmt::format("{}", fmt::join(notes, "")) + Aligned("}") +
         fmt::format("{}", fmt::join(tensors, "")) + Aligned("}");
}

}  // namespace bitplan::exporters

namespace bitplan {

CostTable FileSize(const Network& network, const Format& weight_format, const Format& activation_format,
                   bool channel_correction, const std::vector<int>& weight_bits,
                   const std::vector<int>& activation_bits, const std::vector<OperandPlan>& operands) {
  std::vector<std::string> names;
  for (const Layer& layer : network.layers()) names.push_back(layer.name);
  CostTable table = Tabulate(
      "file_size_bytes", "bitplan quantize --packed", weight_bits, activation_bits, names,
      [&](std::size_t layer, int weight, int activation) {
        const LayerPlan plan{names[layer], weight_format.WithBits(weight), activation_format.WithBits(activation)};
        return static_cast<double>(exporters::LayerPart(network, layer, plan, channel_correction).Bytes());
      });
  table.fixed = static_cast<double>(exporters::FixedPart(network).Bytes() +
                                    exporters::OperandPart(network, operands).Bytes() + exporters::kHeaderLengthBytes) +
                static_cast<double>(exporters::HeaderText({}, {}).size());
  return table;
}

}  // namespace bitplan
