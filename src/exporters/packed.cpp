#include "packed.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <iterator>
#include <utility>
#include <vector>

#include "packed_layout.h"
#include "traits.h"

namespace bitplan::exporters {

namespace {

static_assert(std::endian::native == std::endian::little, "tensors are written as they lie in memory");

std::string BytesOf(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.detach().to(at::kCPU).contiguous();
  return {static_cast<const char*>(flat.const_data_ptr()), flat.nbytes()};
}

/// Codes of `bits` bits, the first in the lowest bits of the first byte: q + 2^{b−1} of a symmetric grid of integers,
/// else q.
std::string Pack(const QuantizedTensor& weight) {
  const int bits = weight.format.bits;
  const int offset = weight.format.IsInteger() && weight.format.scheme == Scheme::Symmetric ? 1 << (bits - 1) : 0;
  const at::Tensor codes = weight.q.to(at::kCPU, at::kInt).contiguous();
  const int* const code = codes.const_data_ptr<int>();
  std::string packed;
  unsigned pending = 0;
  int filled = 0;
  for (std::int64_t i = 0; i < codes.numel(); ++i) {
    pending |= static_cast<unsigned>(code[i] + offset) << filled;
    for (filled += bits; filled >= 8; filled -= 8, pending >>= 8) packed.push_back(static_cast<char>(pending & 0xFF));
  }
  if (filled > 0) packed.push_back(static_cast<char>(pending));
  return packed;
}

std::string Scales(const QuantizedTensor& weight) {
  switch (weight.format.scale_type) {
    case ScaleType::PowerOfTwo:
      return BytesOf(weight.scale.to(at::kDouble).log2_().round_().add_(127).to(at::kByte));
    case ScaleType::DoubleQuantized:
      return BytesOf(weight.scale_codes->codes);
    case ScaleType::Float32:
      break;
  }
  return BytesOf(weight.scale);
}

std::string ZeroPoints(const at::Tensor& zero_points, const Format& format) {
  return BytesOf(zero_points.to(format.bits <= 8 ? at::kByte : at::kInt));
}

ActivationRange RangeAt(const QuantizedNetwork& quantized, int site) {
  const auto found = quantized.inputs().find(site);
  return found == quantized.inputs().end() ? ActivationRange()
                                           : found->second.range;  // a site that the calibration never reached
}

at::Tensor ShiftOf(const QuantizedNetwork& quantized, std::size_t layer, std::int64_t channels) {
  const auto found = quantized.shifts().find(quantized.network().layers()[layer].uses.front().output_site);
  return found == quantized.shifts().end() ? at::zeros({channels}) : found->second;
}

std::string Contents(const PackedTensor& tensor, const QuantizedNetwork& quantized) {
  const std::vector<QuantizedTensor>& weights = quantized.weights();
  const auto index = static_cast<std::size_t>(tensor.index);
  switch (tensor.role) {
    case PackedRole::Weight:
      if (weights[index].format.HasScale()) return Pack(weights[index]);
      return BytesOf(weights[index].format.bits == 16 ? weights[index].q : weights[index].value);
    case PackedRole::WeightScale:
      return Scales(weights[index]);
    case PackedRole::ScaleBlock:
      return BytesOf(weights[index].scale_codes->block_scale);
    case PackedRole::ScaleOffset:
      return BytesOf(at::scalar_tensor(weights[index].scale_codes->offset, at::kFloat));
    case PackedRole::WeightNegativeScale:
      return BytesOf(weights[index].negative_scale);
    case PackedRole::WeightZeroPoint:
      return ZeroPoints(weights[index].zero_point, weights[index].format);
    case PackedRole::InputScale:
      return BytesOf(at::scalar_tensor(RangeAt(quantized, tensor.index).scale, at::kFloat));
    case PackedRole::InputZeroPoint:
      return BytesOf(
          at::scalar_tensor(RangeAt(quantized, tensor.index).zero_point, tensor.type == "U8" ? at::kByte : at::kInt));
    case PackedRole::InputOffset:
      return BytesOf(at::scalar_tensor(RangeAt(quantized, tensor.index).offset, at::kFloat));
    case PackedRole::OutlierColumns:
      return BytesOf(weights[index].outlier_columns.to(at::kInt));
    case PackedRole::OutlierValues:
      return BytesOf(weights[index].outlier_values);
    case PackedRole::OutputShift:
      return BytesOf(ShiftOf(quantized, index, tensor.shape.front()));
    case PackedRole::Parameter:
      break;
  }
  return BytesOf(quantized.parameters()[index]);
}

/// What the calibration samples decide, and not the plan.
PackedPart OutlierPart(const QuantizedNetwork& quantized) {
  const Network& network = quantized.network();
  const std::vector<QuantizedTensor>& weights = quantized.weights();
  PackedPart part;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const QuantizedTensor& weight = weights[i];
    if (!weight.outlier_columns.defined()) continue;
    const std::string& name = network.parameters()[static_cast<std::size_t>(network.layers()[i].weight)].name;
    const auto index = static_cast<int>(i);
    part.tensors.push_back(
        {PackedRole::OutlierColumns, name + "/outlier_columns", "I32", {weight.outlier_columns.numel()}, 4, index});
    part.tensors.push_back(
        {PackedRole::OutlierValues, name + "/outlier_values", "F16", weight.outlier_values.sizes().vec(), 2, index});
  }
  return part;
}

/// The header and, before it, its length.
std::string Header(const PackedPart& all) {
  std::vector<std::string> notes, entries;
  for (const PackedNote& note : all.notes) notes.push_back(note.Entry());
  std::int64_t begin = 0;
  for (const PackedTensor& tensor : all.tensors) {
    const std::int64_t end = begin + tensor.Bytes();
    entries.push_back(tensor.Entry(begin, end));
    begin = end;
  }
  const std::string header = HeaderText(notes, entries);
  const std::uint64_t length = header.size();
  std::string text(sizeof length, '\0');
  std::memcpy(text.data(), &length, sizeof length);
  return text + header;
}

}  // namespace

ExporterTraits Packed::Traits(std::string_view /*flavor*/) const {
  ExporterTraits traits = AllButDynamic();
  traits.inputs.dynamic = true;
  return traits;
}

void Packed::Write(const QuantizedNetwork& quantized, const ExportOptions& /*options*/, const ByteSink& sink) const {
  const Network& network = quantized.network();
  const Plan& plan = quantized.plan();
  PackedPart all = FixedPart(network);
  const auto add = [&](PackedPart part) {
    std::move(part.tensors.begin(), part.tensors.end(), std::back_inserter(all.tensors));
    std::move(part.notes.begin(), part.notes.end(), std::back_inserter(all.notes));
  };
  for (std::size_t i = 0; i < network.layers().size(); ++i)
    add(LayerPart(network, i, plan.layers[i], plan.corrections.ShiftsOutputs()));
  add(OperandPart(network, plan.operands));
  add(OutlierPart(quantized));
  // The widest elements first: everything lies aligned without padding.
  std::stable_sort(all.tensors.begin(), all.tensors.end(),
                   [](const PackedTensor& a, const PackedTensor& b) { return a.element_size > b.element_size; });
  sink(Header(all));
  for (const PackedTensor& tensor : all.tensors) sink(Contents(tensor, quantized));
}

}  // namespace bitplan::exporters
