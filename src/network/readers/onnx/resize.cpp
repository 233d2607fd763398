// Resize, Upsample.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "readers/onnx/interpolation.h"
#include "readers/onnx/node.h"

namespace bitplan::network {

namespace {

using torch::jit::Value;
using Results = std::vector<OnnxValue>;
using Axes = std::vector<std::int64_t>;

constexpr double kMostTaps = 1 << 16;  // products an axis: beyond, a file's scale is a mistake or an attack

/// Which operator of ATen computes the same; empty where none does. `whole` says that all sizes grow by whole numbers.
std::string OperatorFor(const Interpolation& how, bool whole) {
  if (how.antialias || how.exclude_outside || (how.mode == "cubic" && std::abs(how.cubic_a + 0.75) > 1e-6)) return "";
  const bool half = how.coordinates == "half_pixel" || how.coordinates == "pytorch_half_pixel";
  const bool aligned = how.coordinates == "align_corners";
  if (how.mode == "nearest") {
    if (how.coordinates == "asymmetric" && how.nearest == "floor") return "upsample_nearest";
    if (half && whole && how.nearest != "floor" && how.nearest != "ceil") return "upsample_nearest";
    return half && how.nearest == "round_prefer_ceil" ? "_upsample_nearest_exact" : "";
  }
  if (!half && !aligned) return "";
  return how.mode == "linear" ? "upsample_linear" : how.mode == "cubic" ? "upsample_bicubic" : "";
}

std::string WithAxes(const std::string& op, std::size_t axes) {
  if (op.empty() || axes < 1 || axes > 3) return "";
  if (op == "upsample_linear")
    return axes == 1 ? "upsample_linear1d" : axes == 2 ? "upsample_bilinear2d" : "upsample_trilinear3d";
  if (op == "upsample_bicubic") return axes == 2 ? "upsample_bicubic2d" : "";
  return fmt::format("{}{}d", op, axes);
}

constexpr std::int64_t kMostSize = 1 << 16;  // of an axis that no operator of ATen resizes

class Resizer {
 public:
  Resizer(const OnnxNode& node, Interpolation how)
      : node_(node),
        builder_(node.builder()),
        how_(std::move(how)),
        input_(node.Input(0)),
        rank_(static_cast<std::size_t>(builder_.Rank(input_))),
        sizes_(builder_.Sizes(input_)),
        scales_(rank_) {
    axes_.resize(rank_);
    std::iota(axes_.begin(), axes_.end(), 0);
    axes_ = node.Ints("axes", axes_);
    for (std::int64_t& axis : axes_) axis = builder_.Axis(input_, axis);
  }

  void SetSizes(const std::vector<Value*>& sizes) {
    Expect(sizes.size());
    for (std::size_t i = 0; i < axes_.size(); ++i) sizes_[At(i)] = sizes[i];
    const std::string policy = node_.Text("keep_aspect_ratio_policy", "stretch");
    if (policy != "stretch") KeepAspectRatio(policy);
  }

  void SetScales(const std::vector<double>& scales) {
    Expect(scales.size());
    for (std::size_t i = 0; i < axes_.size(); ++i) {
      const auto fixed = builder_.FixedSize(input_, axes_[i]);
      if (!(scales[i] > 0) || scales[i] > kMostTaps) node_.Refuse(fmt::format("it scales by {}", scales[i]));
      scales_[At(i)] = scales[i];
      if (scales[i] == 1) continue;
      if (fixed)
        sizes_[At(i)] =
            builder_.Constant(static_cast<std::int64_t>(std::floor(static_cast<double>(*fixed) * scales[i])));
      else if (scales[i] == std::floor(scales[i]))
        sizes_[At(i)] = builder_.Call("aten::mul", {sizes_[At(i)], static_cast<std::int64_t>(scales[i])});
      else
        node_.Refuse("it scales a size that is not fixed by no whole number");
    }
  }

  Results Read() {
    const std::string op = OperatorOfAten();
    if (!op.empty()) {
      OnnxBuilder::Arguments arguments{input_, builder_.Integers({sizes_.begin() + 2, sizes_.end()})};
      if (how_.mode != "nearest") arguments.emplace_back(how_.coordinates == "align_corners");
      return {builder_.Call("aten::" + op, arguments)};
    }
    Value* result = input_;
    Value* outside = nullptr;
    for (std::size_t i = 0; i < rank_; ++i)
      if (IsChanged(i)) result = ResizeAxis(result, i, outside);
    if (outside) result = builder_.Call("aten::masked_fill", {result, outside, node_.Number("extrapolation_value", 0)});
    return {result};
  }

 private:
  std::size_t At(std::size_t index) const { return static_cast<std::size_t>(axes_[index]); }

  void Expect(std::size_t count) const {
    if (count != axes_.size()) node_.Refuse(fmt::format("it has {} sizes or scales for {} axes", count, axes_.size()));
  }

  std::optional<std::int64_t> From(std::size_t axis) const {
    return builder_.FixedSize(input_, static_cast<std::int64_t>(axis));
  }
  std::optional<std::int64_t> To(std::size_t axis) const {
    const auto constant = builder_.ConstantOf(sizes_[axis]);
    return constant ? std::optional(constant->toInt()) : std::nullopt;
  }

  bool IsChanged(std::size_t axis) const {
    if (axis == 0 && !From(axis) && To(axis) && !scales_[axis])
      return false;  // samples, of which the file may say a number
    if (how_.coordinates == "tf_crop_and_resize" && std::find(axes_.begin(), axes_.end(), axis) != axes_.end())
      return true;
    if (scales_[axis]) return *scales_[axis] != 1;
    const auto from = From(axis), to = To(axis);
    return !(from && from == to) && sizes_[axis] != SizeBefore(axis);
  }
  /// Whether the file asks for the size that there is, by number or by what Shape says of the input.
  Value* SizeBefore(std::size_t axis) const {
    Value* const size = sizes_[axis];
    const torch::jit::Node* const node = size->node();
    if (node->kind() != c10::Symbol::fromQualString("aten::size") || node->inputs().size() != 2) return nullptr;
    const auto of = builder_.ConstantOf(node->input(1));
    return of && of->toInt() == static_cast<std::int64_t>(axis) ? size : nullptr;
  }

  void KeepAspectRatio(const std::string& policy) {
    if (policy != "not_larger" && policy != "not_smaller")
      node_.Refuse("the keep_aspect_ratio_policy '" + policy + "' is not known");
    std::optional<double> scale;
    for (const std::int64_t each : axes_) {
      const auto axis = static_cast<std::size_t>(each);
      const auto from = From(axis), to = To(axis);
      if (!from || !to) node_.Refuse("it keeps the ratio of sizes that are not fixed");
      const double own = static_cast<double>(*to) / static_cast<double>(*from);
      scale = !scale ? own : policy == "not_larger" ? std::min(*scale, own) : std::max(*scale, own);
    }
    for (const std::int64_t each : axes_) {
      const auto axis = static_cast<std::size_t>(each);
      sizes_[axis] = builder_.Constant(static_cast<std::int64_t>(*scale * static_cast<double>(*From(axis)) + 0.5));
      scales_[axis] = *scale;
    }
  }

  /// Of images [N, C, …] whose other axes alone change; those take sizes, not scales.
  std::string OperatorOfAten() const {
    if (rank_ < 3 || rank_ > 5 || IsChanged(0) || IsChanged(1)) return "";
    bool whole = true;
    for (std::size_t i = 2; i < rank_; ++i) {
      const auto from = From(i), to = To(i);
      if (how_.coordinates == "pytorch_half_pixel" && to == 1) return "";
      if (scales_[i]) {
        const double exact = from ? static_cast<double>(*from) * *scales_[i] : 0;
        whole &= *scales_[i] == std::floor(*scales_[i]);
        if (how_.coordinates != "align_corners" && std::abs(exact - std::round(exact)) > 1e-4 * exact) return "";
      } else {
        whole &= from && to && *from > 0 && *to % *from == 0;
      }
    }
    return WithAxes(OperatorFor(how_, whole), rank_ - 2);
  }

  ResizedAxis AxisOf(std::size_t axis) const {
    const auto from = From(axis), to = To(axis);
    if (!from || !to)
      node_.Refuse(fmt::format("by {}, {}, {} only sizes that are fixed are resized", how_.mode, how_.coordinates,
                               how_.nearest));
    if (*from < 1 || *to < 0) node_.Refuse("it resizes an empty axis");
    if (*to > kMostSize)
      node_.Refuse(fmt::format("it resizes an axis to {}, and to {} at the most is read", *to, kMostSize));
    ResizedAxis resized{*from, *to, 1, 0, 1};
    resized.scale = scales_[axis].value_or(static_cast<double>(*to) / static_cast<double>(*from));
    if (how_.antialias && resized.scale * kMostTaps < 1) node_.Refuse("its scale is too small");
    const auto place = static_cast<std::size_t>(std::find(axes_.begin(), axes_.end(), axis) - axes_.begin());
    if (how_.coordinates == "tf_crop_and_resize" && place < axes_.size()) {
      const at::Tensor region = node_.Constant(1).to(at::kDouble).flatten();
      if (region.numel() != 2 * static_cast<std::int64_t>(axes_.size())) node_.Refuse("its roi has other axes");
      resized.begin = region[static_cast<std::int64_t>(place)].item<double>();
      resized.end = region[static_cast<std::int64_t>(place + axes_.size())].item<double>();
    }
    return resized;
  }

  /// A vector in the place of an axis.
  Value* Along(const at::Tensor& vector, std::size_t axis) {
    Axes shape(rank_, 1);
    shape[axis] = vector.numel();
    return builder_.Constant(vector.reshape(shape));
  }

  Value* ResizeAxis(Value* from, std::size_t axis, Value*& outside) {
    const AxisTaps taps = TapsOf(how_, AxisOf(axis));
    Value* sum = nullptr;
    for (std::size_t i = 0; i < taps.indices.size(); ++i) {
      Value* taken = builder_.Call("aten::index_select",
                                   {from, static_cast<std::int64_t>(axis), builder_.Constant(taps.indices[i])});
      if (!taps.weights.empty()) taken = builder_.Call("aten::mul", {taken, Along(taps.weights[i], axis)});
      sum = sum ? builder_.Call("aten::add", {sum, taken}) : taken;
    }
    if (taps.outside.defined() && taps.outside.any().item<bool>()) {
      Value* const own = Along(taps.outside, axis);
      outside = outside ? builder_.Call("aten::logical_or", {outside, own}) : own;
    }
    return sum;
  }

  const OnnxNode& node_;
  OnnxBuilder& builder_;
  Interpolation how_;
  Value* input_;
  std::size_t rank_;
  std::vector<Value*> sizes_;                  ///< of the result
  std::vector<std::optional<double>> scales_;  ///< of each axis that the node scales
  Axes axes_;                                  ///< that the node speaks of
};

std::vector<double> ScalesOf(const OnnxNode& node, std::size_t index) {
  if (node.HasAttribute("scales")) return node.Numbers("scales");
  const at::Tensor scales = node.Constant(index).to(at::kDouble).contiguous();
  return {scales.const_data_ptr<double>(), scales.const_data_ptr<double>() + scales.numel()};
}

Results Upsample(const OnnxNode& node) {
  Interpolation how{node.Text("mode", "nearest"), "asymmetric", "floor"};
  Resizer resizer(node, how);
  resizer.SetScales(ScalesOf(node, 1));
  return resizer.Read();
}

Results Resize(const OnnxNode& node) {
  if (node.opset() < 11) return Upsample(node);
  Interpolation how{node.Text("mode", "nearest"), node.Text("coordinate_transformation_mode", "half_pixel"),
                    node.Text("nearest_mode", "round_prefer_floor")};
  how.cubic_a = node.Number("cubic_coeff_a", -0.75);
  how.antialias = node.Int("antialias", 0) != 0;
  how.exclude_outside = node.Int("exclude_outside", 0) != 0;
  Resizer resizer(node, how);
  if (node.Has(3))
    resizer.SetSizes(node.Integers(3));
  else
    resizer.SetScales(ScalesOf(node, 2));
  return resizer.Read();
}

}  // namespace

void AddResizing(OnnxOperators& all) {
  all["Resize"] = Resize;
  all["Upsample"] = Upsample;
}

}  // namespace bitplan::network
