#include "corrections/input_vectors.h"

#include <ATen/ATen.h>
#include <ATen/ExpandUtils.h>

#include <algorithm>
#include <utility>

#include "tuning.h"

namespace bitplan::quantize {

namespace {

/// Zeros between the values along an axis, so that they lie `spread` apart.
at::Tensor Spread(const at::Tensor& x, std::int64_t axis, std::int64_t spread) {
  if (spread == 1 || x.size(axis) == 0) return x;
  std::vector<std::int64_t> shape = x.sizes().vec();
  std::int64_t& size = shape[static_cast<std::size_t>(axis)];
  size = (size - 1) * spread + 1;
  at::Tensor result = at::zeros(shape, x.options());
  result.slice(axis, 0, size, spread).copy_(x);
  return result;
}

}  // namespace

std::optional<InputVectors> InputVectors::Of(const network::LayerProduct& product, at::IntArrayRef weight_shape,
                                             int channel_axis) {
  InputVectors vectors;
  vectors.shape_ = weight_shape.vec();
  vectors.channel_axis_ = channel_axis;
  const bool known = product.windows()       ? vectors.SetWindows(*product.windows())
                     : product.contraction() ? vectors.SetContraction(*product.contraction())
                                             : false;
  if (!known) return std::nullopt;
  return vectors;
}

bool InputVectors::SetContraction(const network::Contraction& contraction) {
  contraction_ = contraction;
  const auto axis = static_cast<std::int64_t>(contraction.weight_axis);
  if (axis == channel_axis_) return false;
  for (std::int64_t other = axis + 1; other < static_cast<std::int64_t>(shape_.size()); ++other)
    if (other != channel_axis_) return false;  // a channel's values are to lie together
  rows_ = shape_[static_cast<std::size_t>(channel_axis_)];
  length_ = shape_[contraction.weight_axis];
  groups_ = c10::multiply_integers(shape_) / std::max<std::int64_t>(1, rows_ * length_);
  return rows_ > 0 && length_ > 0;
}

bool InputVectors::SetWindows(const network::Windows& windows) {
  windows_ = windows;
  if (channel_axis_ != (windows.transposed ? 1 : 0)) return false;
  groups_ = windows.groups;
  together_ = c10::multiply_integers(at::IntArrayRef(shape_).slice(2));
  rows_ = windows.transposed ? shape_[1] : shape_[0] / groups_;
  length_ = (windows.transposed ? shape_[0] / groups_ : shape_[1]) * together_;
  return rows_ > 0 && length_ > 0;
}

at::Tensor InputVectors::RowsOf(const at::Tensor& weight) const {
  const at::Tensor channels = weight.movedim(channel_axis_, 0).flatten(1);
  return FirstColumn(1) == 0 ? channels.reshape({groups_, rows_, length_})
                             : channels.unflatten(1, {groups_, length_}).transpose(0, 1);
}

at::Tensor InputVectors::WeightOf(const at::Tensor& rows) const {
  std::vector<std::int64_t> shape = shape_;  // with the channels in front
  std::rotate(shape.begin(), shape.begin() + channel_axis_, shape.begin() + channel_axis_ + 1);
  return (FirstColumn(1) == 0 ? rows : rows.transpose(0, 1)).reshape(shape).movedim(0, channel_axis_).contiguous();
}

std::int64_t InputVectors::FirstRow(std::int64_t group) const {
  return windows_ && !windows_->transposed ? group * rows_ : 0;
}

std::int64_t InputVectors::FirstColumn(std::int64_t group) const {
  return windows_ && !windows_->transposed ? 0 : group * length_;
}

at::Tensor InputVectors::Moments(const at::Tensor& x, const InputBlock& block, std::int64_t chunk_bytes) const {
  constexpr std::int64_t kBytes = 16;  // of a value as it is, and in double precision
  at::Tensor sum = at::zeros({block.count, block.count}, x.options().dtype(at::kDouble));
  if (x.numel() == 0) return sum;
  std::int64_t positions = 0;
  ForEachChunk(x, block, std::clamp<std::int64_t>(chunk_bytes / kBytes, 1, tuning::kProductsAtOnce),
               [&](const at::Tensor& vectors) {
                 const at::Tensor values = vectors.to(at::kDouble);  // of large ones single precision has no squares
                 sum.addmm_(values.t(), values);
                 positions += values.size(0);
               });
  return sum.div_(static_cast<double>(std::max<std::int64_t>(positions, 1)));
}

void InputVectors::ForEachChunk(const at::Tensor& x, const InputBlock& block, std::int64_t most_values,
                                const Visit& visit) const {
  if (windows_) return ForEachWindow(x, block, most_values, visit);
  at::Tensor vectors = Contracted(x, block.group);
  if (vectors.is_contiguous()) vectors = vectors.view({-1, length_});  // others would be copied as a whole
  vectors = vectors.narrow(-1, block.first, block.count);
  const std::int64_t each = std::max<std::int64_t>(1, vectors.numel() / vectors.size(0));
  for (const at::Tensor& part : vectors.split(std::max<std::int64_t>(1, most_values / each)))
    visit(part.reshape({-1, block.count}));
}

/// [samples and positions…, length] of one of the products that are apart.
at::Tensor InputVectors::Contracted(const at::Tensor& x, std::int64_t group) const {
  at::Tensor vectors = x.dim() == 1 ? x.unsqueeze(0) : x.movedim(contraction_->input_axis, -1);
  const auto apart = static_cast<std::int64_t>(shape_.size()) - 2;
  if (apart == 0) return vectors;
  std::vector<std::int64_t> products;
  for (std::size_t axis = 0; axis < shape_.size(); ++axis)
    if (axis != contraction_->weight_axis && static_cast<std::int64_t>(axis) != channel_axis_)
      products.push_back(shape_[axis]);
  const std::vector<std::int64_t> outer =
      at::infer_size(vectors.sizes().slice(0, static_cast<std::size_t>(vectors.dim()) - 2), products);
  std::vector<std::int64_t> shape = outer;
  shape.insert(shape.end(), {vectors.size(-2), vectors.size(-1)});
  vectors = vectors.expand(shape);
  for (auto axis = apart; axis-- > 0;) {
    const std::int64_t size = products[static_cast<std::size_t>(axis)];
    vectors = vectors.select(vectors.dim() - 3, group % size);
    group /= size;
  }
  return vectors;
}

void InputVectors::ForEachWindow(const at::Tensor& x, const InputBlock& block, std::int64_t most_values,
                                 const Visit& visit) const {
  const auto spatial = static_cast<std::int64_t>(shape_.size()) - 2;
  const at::Tensor samples = x.dim() == spatial + 2 ? x : x.unsqueeze(0);
  // Of the channels that the block has a part in; what is too much of the first and last one is dropped.
  const std::int64_t first = block.first / together_, last = (block.first + block.count - 1) / together_;
  const std::int64_t channels = length_ / together_;
  const at::Tensor read = samples.narrow(1, block.group * channels + first, last - first + 1);
  const auto in_chunks = [&](const at::Tensor& part) {
    at::Tensor windows = Padded(part);
    for (std::int64_t axis = 0; axis < spatial; ++axis) {
      const auto i = static_cast<std::size_t>(axis);
      const std::int64_t dilation = windows_->dilation[i], reach = (shape_[i + 2] - 1) * dilation + 1;
      if (windows.size(axis + 2) < reach) return;  // an output without positions
      windows = windows.unfold(axis + 2, reach, windows_->stride[i]).slice(-1, 0, reach, dilation);
    }
    windows = windows.movedim(1, 1 + spatial);  // [N, positions…, channels, kernel…]
    const std::int64_t row = std::max<std::int64_t>(1, windows.numel() / std::max<std::int64_t>(1, windows.size(1)));
    for (at::Tensor rows : windows.split(std::max<std::int64_t>(1, most_values / row), 1)) {
      if (windows_->transposed) {
        std::vector<std::int64_t> kernel;
        for (std::int64_t axis = 0; axis < spatial; ++axis) kernel.push_back(-1 - axis);
        rows = rows.flip(kernel);
      }
      visit(rows.reshape({-1, read.size(1) * together_}).narrow(1, block.first - first * together_, block.count));
    }
  };
  // So many samples that one position along the first axis of each is not yet too much.
  const at::Tensor one = Padded(read.narrow(0, 0, 1));
  const std::int64_t row = std::max<std::int64_t>(1, one.numel() / one.size(2) * together_);
  for (const at::Tensor& part : read.split(std::max<std::int64_t>(1, most_values / row))) in_chunks(part);
}

/// [N, C, …] with zeros between and around the values.
at::Tensor InputVectors::Padded(const at::Tensor& samples) const {
  const auto spatial = static_cast<std::int64_t>(windows_->before.size());
  std::vector<std::int64_t> pads;
  at::Tensor padded = samples;
  for (std::int64_t axis = spatial; axis-- > 0;) {
    const auto i = static_cast<std::size_t>(axis);
    pads.insert(pads.end(), {windows_->before[i], windows_->after[i]});
    padded = Spread(padded, axis + 2, windows_->spread[i]);
  }
  return at::constant_pad_nd(padded, pads);
}

}  // namespace bitplan::quantize
