#include "onnx_weight.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <optional>

#include "bitplan/error.h"
#include "calibration/codebook.h"
#include "quantize/weight_grid.h"

namespace bitplan::exporters {

namespace {

using onnx::ElementType;

/// Integers that stand for the weight, int32, in its shape, and what is taken off them, one a scale.
struct Integers {
  at::Tensor codes, zero_points;
  std::int64_t least = 0, largest = 0;
  bool is_signed = true;
};

/// Of a weight whose levels are integers.
Integers IntegersOf(const QuantizedTensor& weight) {
  if (!weight.format.IsInteger()) {
    const at::Tensor levels = quantize::LevelTable(weight.format).to(at::kInt);
    return {levels.take(weight.q.to(at::kCPU, at::kLong)), at::zeros_like(weight.scale.cpu(), at::kInt), -1, 1};
  }
  Integers integers{weight.q.to(at::kCPU, at::kInt), weight.zero_point.to(at::kCPU, at::kInt)};
  integers.is_signed = weight.format.scheme == Scheme::Symmetric;
  integers.least = weight.format.QuantMin();
  integers.largest = weight.format.QuantMax();
  const std::int64_t half = std::int64_t{1} << (weight.format.bits - 1);
  if (!integers.is_signed && integers.zero_points.eq(half).all().item<bool>()) {  // signed codes without zero points
    integers = {integers.codes - half, integers.zero_points - half, integers.least - half, integers.largest - half};
  }
  return integers;
}

std::vector<std::byte> CodeBytes(const at::Tensor& integers, ElementType type) {
  const at::Tensor flat = integers.to(at::kInt).contiguous();
  const std::size_t size = onnx::BytesOf(type);
  std::vector<std::byte> bytes(static_cast<std::size_t>(flat.numel()) * size);
  const int* const values = flat.const_data_ptr<int>();
  for (std::size_t i = 0; i * size < bytes.size(); ++i) std::memcpy(&bytes[i * size], &values[i], size);
  return bytes;
}

std::vector<float> Floats(const at::Tensor& values) {
  const at::Tensor flat = values.to(at::kCPU, at::kFloat).contiguous();
  return {flat.const_data_ptr<float>(), flat.const_data_ptr<float>() + flat.numel()};
}

std::vector<std::int64_t> SizesBehind(const QuantizedTensor& weight) {
  std::vector<std::int64_t> sizes = weight.q.sizes().vec();
  sizes.erase(sizes.begin() + weight.channel_axis);
  return sizes;
}

/// Blocks along one axis, all the others as they are.
struct Blocks {
  std::int64_t axis = 0;  ///< of the weight
  std::int64_t size = 0;
};

/// The axis along which groups of a channel's values run, where they do along one.
std::optional<Blocks> BlocksOf(const QuantizedTensor& weight) {
  const std::vector<std::int64_t> sizes = SizesBehind(weight);
  const std::int64_t group = weight.format.group_size;
  std::int64_t behind = 1;
  for (std::size_t i = sizes.size(); i-- > 0; behind *= sizes[i]) {
    if (group % behind != 0) return std::nullopt;
    const std::int64_t size = group / behind;
    const bool is_first = std::all_of(sizes.begin(), sizes.begin() + static_cast<std::ptrdiff_t>(i),
                                      [](std::int64_t other) { return other == 1; });
    if (size <= sizes[i] && (is_first || sizes[i] % size == 0)) {
      const auto axis = static_cast<std::int64_t>(i);
      return Blocks{axis < weight.channel_axis ? axis : axis + 1, size};
    }
  }
  return std::nullopt;
}

std::int64_t PositionOf(std::int64_t axis, const std::vector<std::int64_t>& axes) {
  return std::find(axes.begin(), axes.end(), axis) - axes.begin();
}

/// Numbers of groups as ONNX has those of blocks.
at::Tensor OfBlocks(const at::Tensor& numbers, const Blocks& blocks, const QuantizedTensor& weight,
                    const std::vector<std::int64_t>& axes) {
  const at::Tensor each = quantize::AlongWeight(numbers.cpu(), weight.q.sizes(), weight).expand(weight.q.sizes());
  const std::int64_t count = weight.q.size(blocks.axis);
  return each.slice(blocks.axis, 0, count, blocks.size).permute(axes);
}

class Coder {
 public:
  Coder(const QuantizedTensor& weight, const std::vector<std::int64_t>& axes, std::string what,
        const OnnxFlavor& flavor)
      : weight_(weight), axes_(axes), what_(std::move(what)), flavor_(flavor), integers_(IntegersOf(weight)) {}

  onnx::CodedTensor Code(const std::string& name) {
    onnx::CodedTensor coded;
    coded.name = name;
    coded.type = Type();
    const bool has_groups = weight_.scale.dim() == 2 && weight_.scale.size(1) > 1;
    if (has_groups)
      AddGroups(coded);
    else
      AddChannels(coded);
    return coded;
  }

 private:
  ElementType Type() const {
    const bool blocks = weight_.scale.dim() == 2 && weight_.scale.size(1) > 1;
    const ElementType type = TypeFor(blocks ? flavor_.block_types : flavor_.weight_types, integers_.least,
                                     integers_.largest, integers_.is_signed);
    if (type == ElementType::Undefined)
      throw Error(fmt::format("{}: {} has no type for {} integers of {} bits{}", what_, flavor_.name,
                              integers_.is_signed ? "signed" : "unsigned", weight_.format.bits,
                              blocks ? " with a scale a group" : ""));
    return type;
  }

  void AddChannels(onnx::CodedTensor& coded) {
    const at::Tensor codes = integers_.codes.permute(axes_);
    coded.shape = codes.sizes().vec();
    coded.codes = CodeBytes(codes, coded.type);
    coded.scales = Floats(weight_.scale);
    coded.axis = PositionOf(weight_.channel_axis, axes_);
    AddZeroPoints(coded, integers_.zero_points);
  }

  void AddGroups(onnx::CodedTensor& coded) {
    const auto blocks = BlocksOf(weight_);
    if (!blocks) return AddRows(coded);
    const at::Tensor codes = integers_.codes.permute(axes_);
    coded.shape = codes.sizes().vec();
    coded.codes = CodeBytes(codes, coded.type);
    coded.scales = Floats(OfBlocks(weight_.scale, *blocks, weight_, axes_));
    coded.axis = PositionOf(blocks->axis, axes_);
    coded.block_size = blocks->size;
    AddZeroPoints(coded, OfBlocks(integers_.zero_points, *blocks, weight_, axes_));
  }

  /// Each channel as a row, which is put into shape behind it.
  void AddRows(onnx::CodedTensor& coded) {
    const bool first = weight_.channel_axis == axes_.front() && std::is_sorted(axes_.begin() + 1, axes_.end());
    if (!flavor_.reshapes || !first)
      throw Error(
          fmt::format("{}: {} has no place for groups of {} values that run across several axes; take a size that is a "
                      "multiple of the kernel's",
                      what_, flavor_.name, weight_.format.group_size));
    const at::Tensor codes = integers_.codes.permute(axes_);
    coded.result = codes.sizes().vec();
    coded.shape = {codes.size(0), codes.numel() / codes.size(0)};
    coded.codes = CodeBytes(codes, coded.type);
    coded.scales = Floats(weight_.scale);
    coded.axis = 1;
    coded.block_size = weight_.format.group_size;
    AddZeroPoints(coded, integers_.zero_points);
  }

  void AddZeroPoints(onnx::CodedTensor& coded, const at::Tensor& zero_points) const {
    if (integers_.zero_points.ne(0).any().item<bool>()) coded.zero_points = CodeBytes(zero_points, coded.type);
  }

  const QuantizedTensor& weight_;
  const std::vector<std::int64_t>& axes_;
  std::string what_;
  const OnnxFlavor& flavor_;
  Integers integers_;
};

}  // namespace

onnx::CodedTensor CodesOf(const QuantizedTensor& weight, const std::vector<std::int64_t>& axes, const std::string& what,
                          const std::string& name, const OnnxFlavor& flavor) {
  return Coder(weight, axes, what, flavor).Code(name);
}

std::vector<std::byte> BytesOf(const at::Tensor& values) {
  const at::Tensor flat = values.detach().to(at::kCPU).contiguous();
  const auto* const begin = static_cast<const std::byte*>(flat.const_data_ptr());
  return {begin, begin + flat.nbytes()};
}

onnx::NewTensor ValuesOf(const at::Tensor& values, const std::string& name) {
  const bool half = values.scalar_type() == at::kHalf, brain = values.scalar_type() == at::kBFloat16;
  const at::Tensor stored = half || brain ? values : values.to(at::kFloat);
  const ElementType type = half ? ElementType::Float16 : brain ? ElementType::Bfloat16 : ElementType::Float;
  return {name, type, stored.sizes().vec(), BytesOf(stored)};
}

}  // namespace bitplan::exporters
