#include "recipes/aimet_encoding.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "bitplan/error.h"
#include "recipes/recipe.h"

namespace bitplan::exporters {

using nlohmann::ordered_json;

namespace {

/// Of the grid 0 … 2^b − 1, with a sign as in −zero point.
std::int64_t OffsetOf(const AimetEncoding& encoding, std::size_t scale) {
  if (encoding.is_signed) return -(std::int64_t{1} << (encoding.bits - 1));
  return -static_cast<std::int64_t>(encoding.zero_points[scale]);
}

std::string TypeName(const AimetEncoding& encoding) {
  return fmt::format("{}int{}", encoding.is_signed ? "" : "u", encoding.bits);
}

/// Groups run along the other axes in row-major order: blocks of input channels where what follows them is one value.
void PutBlocks(const QuantizedTensor& weight, const std::string& layer, AimetEncoding& encoding) {
  const at::IntArrayRef sizes = weight.q.sizes();
  const bool inputs_last = sizes.size() >= 2 && weight.q.numel() == sizes[0] * sizes[1] && weight.channel_axis == 0;
  if (!inputs_last || sizes[1] % weight.format.group_size != 0)
    throw Error(fmt::format("layer {}: aimet has no place for groups of {} weights that are not blocks of inputs",
                            layer, weight.format.group_size));
  encoding.block_size = weight.format.group_size;
  encoding.shape.assign(sizes.size(), 1);
  encoding.shape[0] = sizes[0];
  encoding.shape[1] = sizes[1] / weight.format.group_size;
}

/// Numbers in lists within lists, of a tensor's shape.
ordered_json Nested(const std::vector<double>& numbers, const std::vector<std::int64_t>& shape, bool whole,
                    std::size_t axis, std::size_t& next) {
  if (axis == shape.size()) {
    const double number = numbers[next++];
    return whole ? ordered_json(static_cast<std::int64_t>(number)) : ordered_json(number);
  }
  ordered_json list = ordered_json::array();
  for (std::int64_t i = 0; i < shape[axis]; ++i) list.push_back(Nested(numbers, shape, whole, axis + 1, next));
  return list;
}

ordered_json InShape(const AimetEncoding& encoding, const std::vector<double>& numbers, bool whole) {
  std::size_t next = 0;
  if (encoding.axis < 0) return Nested(numbers, {}, whole, 0, next);
  if (encoding.block_size > 0) return Nested(numbers, encoding.shape, whole, 0, next);
  return Nested(numbers, {static_cast<std::int64_t>(numbers.size())}, whole, 0, next);
}

}  // namespace

AimetEncoding WeightEncoding(const QuantizedNetwork& network, std::size_t layer, const NamedWeight& name) {
  const QuantizedTensor& weight = network.weights()[layer];
  AimetEncoding encoding;
  encoding.name = name.name;
  encoding.bits = weight.format.bits;
  encoding.is_signed = weight.format.scheme == Scheme::Symmetric;
  encoding.scales = NumbersOf(weight.scale);
  encoding.zero_points = NumbersOf(weight.zero_point);
  if (weight.format.granularity != Granularity::Tensor) encoding.axis = name.channel_axis;
  if (weight.format.InGroups() && name.is_turned)
    throw Error(fmt::format("layer {}: aimet has no place for groups of a weight whose axes the ONNX file has turned",
                            network.network().layers()[layer].name));
  if (weight.format.InGroups()) PutBlocks(weight, network.network().layers()[layer].name, encoding);
  return encoding;
}

AimetEncoding InputEncoding(const QuantizedInput& input, std::string name) {
  AimetEncoding encoding;
  encoding.name = std::move(name);
  encoding.bits = input.format.bits;
  encoding.is_signed = input.format.scheme == Scheme::Symmetric;
  encoding.scales = {input.range.scale};
  encoding.zero_points = {static_cast<double>(input.range.zero_point)};
  return encoding;
}

ordered_json TorchForm(const AimetEncoding& encoding) {
  ordered_json list = ordered_json::array();
  for (std::size_t i = 0; i < encoding.scales.size(); ++i) {
    const double scale = encoding.scales[i];
    const std::int64_t offset = OffsetOf(encoding, i), steps = (std::int64_t{1} << encoding.bits) - 1;
    list.push_back({{"bitwidth", encoding.bits},
                    {"dtype", "int"},
                    {"is_symmetric", encoding.is_signed ? "True" : "False"},
                    {"max", scale * static_cast<double>(offset + steps)},
                    {"min", scale * static_cast<double>(offset)},
                    {"offset", offset},
                    {"scale", scale}});
  }
  return list;
}

ordered_json FirstForm(const AimetEncoding& encoding) {
  ordered_json offsets = ordered_json::array();
  for (std::size_t i = 0; i < encoding.scales.size(); ++i) offsets.push_back(OffsetOf(encoding, i));
  const char* const type = encoding.axis < 0 ? "PER_TENSOR" : encoding.block_size > 0 ? "PER_BLOCK" : "PER_CHANNEL";
  ordered_json json = {
      {"name", encoding.name},        {"enc_type", type},         {"dtype", "INT"},   {"bw", encoding.bits},
      {"is_sym", encoding.is_signed}, {"scale", encoding.scales}, {"offset", offsets}};
  if (encoding.block_size > 0) json["block_size"] = encoding.block_size;
  return json;
}

ordered_json SecondForm(const AimetEncoding& encoding) {
  ordered_json json = {{"name", encoding.name}, {"output_dtype", TypeName(encoding)}};
  json["y_scale"] = InShape(encoding, encoding.scales, false);
  if (!encoding.is_signed) json["y_zero_point"] = InShape(encoding, encoding.zero_points, true);
  if (encoding.axis >= 0) json["axis"] = encoding.block_size > 0 ? encoding.block_axis : encoding.axis;
  if (encoding.block_size > 0) json["block_size"] = encoding.block_size;
  return json;
}

}  // namespace bitplan::exporters
