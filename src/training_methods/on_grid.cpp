#include "on_grid.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "grid_loops.h"
#include "quantize/weight_grid.h"
#include "tuning.h"

namespace bitplan::training_methods {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Which values share a scale, and how their codes are found.
struct Layout {
  int channel_axis = 0;
  bool is_weight = false;
};

/// The memory of a tensor whose parts lie one after the other, each with a scale, in pieces that do not depend on the
/// number of threads.
class Pieces {
 public:
  Pieces(std::int64_t parts, std::int64_t values)
      : length_(values / parts),
        per_part_((length_ + tuning::kPiece - 1) / tuning::kPiece),
        count_(parts * per_part_) {}

  std::int64_t count() const { return count_; }

  /// Calls work(piece, part, begin, count), in parallel.
  template <typename Work>
  void ForEach(const Work& work) const {
    const std::int64_t grain = std::max<std::int64_t>(1, tuning::kPiece / std::max<std::int64_t>(1, length_));
    at::parallel_for(0, count_, grain, [&](std::int64_t from, std::int64_t to) {
      for (std::int64_t piece = from; piece < to; ++piece) {
        const std::int64_t part = piece / per_part_, begin = piece % per_part_ * tuning::kPiece;
        work(piece, part, part * length_ + begin, std::min(tuning::kPiece, length_ - begin));
      }
    });
  }

  std::int64_t PartOf(std::int64_t piece) const { return piece / per_part_; }

 private:
  std::int64_t length_, per_part_, count_;
};

bool HasLoops(const at::Tensor& x, const at::Tensor& scale, const Layout& layout) {
  if (!x.is_cpu() || x.scalar_type() != at::kFloat || !x.is_non_overlapping_and_dense() || x.numel() == 0) return false;
  return scale.numel() == 1 || x.stride(layout.channel_axis) * x.size(layout.channel_axis) == x.numel();
}

at::Tensor Along(const at::Tensor& numbers, const at::Tensor& x, const Layout& layout) {
  return numbers.numel() == 1 ? numbers : quantize::AlongChannels(numbers, x.dim(), layout.channel_axis);
}

quantize::Grid GridOf(float scale, const GridRule& rule) {
  return {scale, static_cast<float>(rule.low), static_cast<float>(rule.high)};
}

at::Tensor Rounded(const at::Tensor& x, const at::Tensor& scale, const GridRule& rule, const Layout& layout) {
  if (!HasLoops(x, scale, layout)) {
    const at::Tensor along = Along(scale, x, layout);
    const at::Tensor steps = layout.is_weight ? x.to(at::kDouble) / along.to(at::kDouble) : x * along.reciprocal();
    return steps.clamp(rule.low, rule.high).round_().to(x.scalar_type()).mul_(along);
  }
  at::Tensor result = at::empty_like(x);  // the same strides
  const float* const from = x.const_data_ptr<float>();
  const float* const scales = scale.const_data_ptr<float>();
  float* const to = result.mutable_data_ptr<float>();
  const auto round = layout.is_weight ? RoundToGridExactly : quantize::RoundToGrid;
  Pieces(scale.numel(), x.numel())
      .ForEach([&](std::int64_t, std::int64_t part, std::int64_t begin, std::int64_t count) {
        round(from + begin, to + begin, count, GridOf(scales[part], rule));
      });
  return result;
}

/// The gradient in x, and of each scale the sums.
struct Gradients {
  at::Tensor x;
  at::Tensor residue, below, above;  ///< as the scales
};

Gradients LoopGradients(const at::Tensor& x, const at::Tensor& scale, const at::Tensor& gradient,
                        const GridRule& rule) {
  at::Tensor result = at::empty_like(x);
  const at::Tensor aligned = gradient.strides() == x.strides() ? gradient : at::empty_like(x).copy_(gradient);
  const Pieces pieces(scale.numel(), x.numel());
  std::vector<GridSums> sums(static_cast<std::size_t>(pieces.count()));
  const float* const from = x.const_data_ptr<float>();
  const float* const given = aligned.const_data_ptr<float>();
  const float* const scales = scale.const_data_ptr<float>();
  float* const to = result.mutable_data_ptr<float>();
  pieces.ForEach([&](std::int64_t piece, std::int64_t part, std::int64_t begin, std::int64_t count) {
    sums[static_cast<std::size_t>(piece)] =
        GridGradient(from + begin, given + begin, to + begin, count, GridOf(scales[part], rule));
  });
  std::vector<GridSums> of_part(static_cast<std::size_t>(scale.numel()));
  for (std::int64_t piece = 0; piece < pieces.count(); ++piece)
    of_part[static_cast<std::size_t>(pieces.PartOf(piece))] += sums[static_cast<std::size_t>(piece)];
  const auto tensor_of = [&](double GridSums::* sum) {
    at::Tensor numbers = at::empty_like(scale);
    for (std::size_t part = 0; part < of_part.size(); ++part)
      numbers.mutable_data_ptr<float>()[part] = static_cast<float>(of_part[part].*sum);
    return numbers;
  };
  return {result, tensor_of(&GridSums::residue), tensor_of(&GridSums::below), tensor_of(&GridSums::above)};
}

Gradients OperatorGradients(const at::Tensor& x, const at::Tensor& scale, const at::Tensor& gradient,
                            const GridRule& rule, const Layout& layout) {
  const at::Tensor along = Along(scale, x, layout);
  const at::Tensor v = x / along;
  const at::Tensor is_below = v.le(rule.low), is_above = v.ge(rule.high);
  const at::Tensor inside = gradient * is_below.logical_or(is_above).logical_not_();
  const auto summed = [&](const at::Tensor& terms) { return terms.sum_to_size(along.sizes()).view_as(scale); };
  return {inside, summed(inside * (v.round() - v)), summed(gradient * is_below), summed(gradient * is_above)};
}

class OnGrid : public torch::autograd::Function<OnGrid> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& scale,
                            const std::optional<at::Tensor>& offset, const GridRule& rule, const Layout& layout) {
    context->save_for_backward({x, scale});
    context->saved_data["rule"] =
        std::vector<double>{rule.low, rule.high, rule.residue, rule.below, rule.above, rule.gradient_scale};
    context->saved_data["channel_axis"] = layout.channel_axis;
    context->saved_data["is_weight"] = layout.is_weight;
    context->saved_data["has_offset"] = offset.has_value();
    return Rounded(x, scale, rule, layout);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const std::vector<double> numbers = context->saved_data["rule"].toDoubleVector();
    const GridRule rule{numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]};
    const Layout layout{static_cast<int>(context->saved_data["channel_axis"].toInt()),
                        context->saved_data["is_weight"].toBool()};
    const at::Tensor x = saved[0].detach(), scale = saved[1].detach();
    const Gradients found = HasLoops(x, scale, layout) ? LoopGradients(x, scale, gradients[0], rule)
                                                       : OperatorGradients(x, scale, gradients[0], rule, layout);
    at::Tensor of_scale = found.residue * rule.residue + found.below * rule.below + found.above * rule.above;
    const bool has_offset = context->saved_data["has_offset"].toBool();
    return {found.x, of_scale.mul_(rule.gradient_scale),
            has_offset ? (found.below + found.above).mul_(rule.gradient_scale) : at::Tensor(), at::Tensor(),
            at::Tensor()};
  }
};

at::Tensor Apply(const at::Tensor& x, const at::Tensor& scale, const std::optional<at::Tensor>& offset,
                 const GridRule& rule, const Layout& layout) {
  const bool learned = scale.requires_grad() || (offset && offset->requires_grad());
  if (!at::GradMode::is_enabled() || (!x.requires_grad() && !learned))
    return Rounded(x.detach(), scale.detach(), rule, layout);
  return OnGrid::apply(x, scale, offset, rule, layout);
}

}  // namespace

at::Tensor InputOnGrid(const at::Tensor& x, const at::Tensor& scale, const GridRule& rule,
                       const std::optional<at::Tensor>& offset) {
  return Apply(x, scale, offset, rule, {});
}

at::Tensor WeightOnGrid(const at::Tensor& w, const at::Tensor& scale, int channel_axis, const GridRule& rule) {
  return Apply(w, scale, std::nullopt, rule, {channel_axis, true});
}

}  // namespace bitplan::training_methods
