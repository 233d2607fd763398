#include <ATen/ATen.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "bitplan/files.h"
#include "packed_layout.h"
#include "quantize/quantized_network.h"

namespace bitplan {

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

ActivationRange RangeAt(const QuantizedState& state, int site) {
  const auto found = state.inputs.find(site);
  return found == state.inputs.end() ? ActivationRange()
                                     : found->second.range;  // a site that the calibration never reached
}

at::Tensor ShiftOf(const Network& network, const QuantizedState& state, std::size_t layer, std::int64_t channels) {
  const auto found = state.shifts.find(network.layers()[layer].uses.front().output_site);
  return found == state.shifts.end() ? at::zeros({channels}) : found->second;
}

std::string Contents(const quantize::PackedTensor& tensor, const Network& network, const QuantizedState& state) {
  const auto index = static_cast<std::size_t>(tensor.index);
  switch (tensor.role) {
    case quantize::PackedRole::Weight:
      if (state.weights[index].format.HasScale()) return Pack(state.weights[index]);
      return BytesOf(state.weights[index].format.bits == 16 ? state.weights[index].q : state.weights[index].value);
    case quantize::PackedRole::WeightScale:
      return Scales(state.weights[index]);
    case quantize::PackedRole::ScaleBlock:
      return BytesOf(state.weights[index].scale_codes->block_scale);
    case quantize::PackedRole::ScaleOffset:
      return BytesOf(at::scalar_tensor(state.weights[index].scale_codes->offset, at::kFloat));
    case quantize::PackedRole::WeightNegativeScale:
      return BytesOf(state.weights[index].negative_scale);
    case quantize::PackedRole::WeightZeroPoint:
      return ZeroPoints(state.weights[index].zero_point, state.weights[index].format);
    case quantize::PackedRole::InputScale:
      return BytesOf(at::scalar_tensor(RangeAt(state, tensor.index).scale, at::kFloat));
    case quantize::PackedRole::InputZeroPoint:
      return BytesOf(
          at::scalar_tensor(RangeAt(state, tensor.index).zero_point, tensor.type == "U8" ? at::kByte : at::kInt));
    case quantize::PackedRole::InputOffset:
      return BytesOf(at::scalar_tensor(RangeAt(state, tensor.index).offset, at::kFloat));
    case quantize::PackedRole::OutlierColumns:
      return BytesOf(state.weights[index].outlier_columns.to(at::kInt));
    case quantize::PackedRole::OutlierValues:
      return BytesOf(state.weights[index].outlier_values);
    case quantize::PackedRole::OutputShift:
      return BytesOf(ShiftOf(network, state, index, tensor.shape.front()));
    case quantize::PackedRole::Parameter:
      break;
  }
  return BytesOf(state.parameters[index]);
}

/// What the calibration samples decide, and not the plan.
quantize::PackedPart OutlierPart(const Network& network, const QuantizedState& state) {
  quantize::PackedPart part;
  for (std::size_t i = 0; i < state.weights.size(); ++i) {
    const QuantizedTensor& weight = state.weights[i];
    if (!weight.outlier_columns.defined()) continue;
    const std::string& name = network.parameters()[static_cast<std::size_t>(network.layers()[i].weight)].name;
    const auto index = static_cast<int>(i);
    part.tensors.push_back({quantize::PackedRole::OutlierColumns,
                            name + "/outlier_columns",
                            "I32",
                            {weight.outlier_columns.numel()},
                            4,
                            index});
    part.tensors.push_back({quantize::PackedRole::OutlierValues, name + "/outlier_values", "F16",
                            weight.outlier_values.sizes().vec(), 2, index});
  }
  return part;
}

/// The header and, before it, its length.
std::string Header(const quantize::PackedPart& all) {
  std::vector<std::string> notes, entries;
  for (const quantize::PackedNote& note : all.notes) notes.push_back(note.Entry());
  std::int64_t begin = 0;
  for (const quantize::PackedTensor& tensor : all.tensors) {
    const std::int64_t end = begin + tensor.Bytes();
    entries.push_back(tensor.Entry(begin, end));
    begin = end;
  }
  const std::string header = quantize::HeaderText(notes, entries);
  const std::uint64_t length = header.size();
  std::string text(sizeof length, '\0');
  std::memcpy(text.data(), &length, sizeof length);
  return text + header;
}

}  // namespace

void QuantizedNetwork::SavePacked(const std::filesystem::path& file) const {
  quantize::PackedPart all = quantize::FixedPart(network());
  const auto add = [&](quantize::PackedPart part) {
    std::move(part.tensors.begin(), part.tensors.end(), std::back_inserter(all.tensors));
    std::move(part.notes.begin(), part.notes.end(), std::back_inserter(all.notes));
  };
  for (std::size_t i = 0; i < network().layers().size(); ++i)
    add(quantize::LayerPart(network(), i, plan().layers[i], plan().corrections.ShiftsOutputs()));
  add(quantize::OperandPart(network(), plan().operands));
  add(OutlierPart(network(), impl_->state));
  // The widest elements first: everything lies aligned without padding.
  std::stable_sort(
      all.tensors.begin(), all.tensors.end(),
      [](const quantize::PackedTensor& a, const quantize::PackedTensor& b) { return a.element_size > b.element_size; });
  WriteFile(file, [&](const ByteSink& sink) {
    sink(Header(all));
    for (const quantize::PackedTensor& tensor : all.tensors) sink(Contents(tensor, network(), impl_->state));
  });
}

}  // namespace bitplan
