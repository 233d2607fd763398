#pragma once

#include <ATen/core/Tensor.h>

#include "bitplan/format.h"

namespace bitplan::training_methods {

/// A weight's values by the scale that they share: of the whole tensor or of a channel.
class WeightParts {
 public:
  /// `channel_axis`: from the back where negative. `format` has no groups.
  WeightParts(const Format& format, int channel_axis, const at::Tensor& w);

  int channel_axis() const { return channel_axis_; }  ///< ≥ 0
  std::int64_t count() const { return count_; }
  std::int64_t size() const { return size_; }  ///< values of each

  /// Numbers [count()], in a shape that broadcasts over the weight.
  at::Tensor Along(const at::Tensor& numbers) const;

  // Of values in the weight's shape, in a shape that broadcasts over it.
  at::Tensor Sum(const at::Tensor& values) const;  ///< float64
  at::Tensor Max(const at::Tensor& values) const;
  at::Tensor Min(const at::Tensor& values) const;

 private:
  int channel_axis_ = 0;
  std::int64_t dimensions_ = 0, count_ = 1, size_ = 1;
  std::vector<std::int64_t> reduced_;  // axes
};

}  // namespace bitplan::training_methods
