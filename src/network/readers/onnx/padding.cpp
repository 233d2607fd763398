// Pad, Resize, Upsample, GridSample.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "readers/onnx/node.h"

namespace bitplan::network {

namespace {

using torch::jit::Value;
using Results = std::vector<OnnxValue>;

/// Padding of each axis: before, after.
std::vector<std::pair<Value*, Value*>> PadsOf(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  std::vector<Value*> given;
  if (node.HasAttribute("pads")) {
    for (const std::int64_t pad : node.Ints("pads")) given.push_back(builder.Constant(pad));
  } else {
    given = node.Integers(1);
  }
  const auto rank = static_cast<std::size_t>(builder.Rank(node.Input(0)));
  std::vector<std::int64_t> axes;
  for (std::size_t i = 0; i < rank; ++i) axes.push_back(static_cast<std::int64_t>(i));
  if (node.Has(3)) axes = node.ConstantIntegers(3);
  if (given.size() != 2 * axes.size())
    node.Refuse(fmt::format("it has {} pads for {} axes", given.size(), axes.size()));
  Value* const zero = builder.Constant(0);
  std::vector<std::pair<Value*, Value*>> pads(rank, {zero, zero});
  for (std::size_t i = 0; i < axes.size(); ++i)
    pads.at(static_cast<std::size_t>(builder.Axis(node.Input(0), axes[i]))) = {given[i], given[i + axes.size()]};
  return pads;
}

/// Along one axis after the other, since ATen pads only some of the axes in one go.
Value* PadByIndex(const OnnxNode& node, Value* input, std::int64_t axis, std::int64_t before, std::int64_t after) {
  OnnxBuilder& builder = node.builder();
  const std::string mode = node.Text("mode", "constant");
  const auto size = builder.FixedSize(input, axis);
  if (!size) node.Refuse("it pads an axis whose size is not fixed");
  std::vector<std::int64_t> indices;
  for (std::int64_t at = -before; at < *size + after; ++at) {
    std::int64_t index = std::clamp<std::int64_t>(at, 0, *size - 1);
    if (mode == "wrap") index = ((at % *size) + *size) % *size;
    if (mode == "reflect") index = at < 0 ? -at : at >= *size ? 2 * (*size - 1) - at : at;
    if (index < 0 || index >= *size) node.Refuse("it pads by more than the axis has");
    indices.push_back(index);
  }
  return builder.Call("aten::index_select", {input, axis, builder.Constant(at::tensor(indices))});
}

Results Pad(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  const auto pads = PadsOf(node);
  Value* input = node.Input(0);
  if (node.Text("mode", "constant") == "constant") {
    std::vector<Value*> reversed;
    for (std::size_t i = pads.size(); i-- > 0;) {
      reversed.push_back(pads[i].first);
      reversed.push_back(pads[i].second);
    }
    const double value = node.HasAttribute("value") ? node.Number("value", 0)
                         : node.Has(2)              ? node.ConstantNumber(2)
                                                    : 0;
    return {builder.Call("aten::constant_pad_nd", {input, builder.Integers(reversed), value})};
  }
  for (std::size_t i = 0; i < pads.size(); ++i) {
    const auto before = builder.ConstantOf(pads[i].first), after = builder.ConstantOf(pads[i].second);
    if (!before || !after) node.Refuse("its pads are computed in each run");
    if (before->toInt() != 0 || after->toInt() != 0)
      input = PadByIndex(node, input, static_cast<std::int64_t>(i), before->toInt(), after->toInt());
  }
  return {input};
}

/// How an image is resized, of Resize or the older Upsample.
struct Interpolation {
  std::string mode, coordinates, nearest;
};

/// Which operator of ATen computes the same; empty where none does. `whole` says that all sizes grow by whole numbers.
std::string OperatorFor(const Interpolation& how, bool whole) {
  const bool half = how.coordinates == "half_pixel" || how.coordinates == "pytorch_half_pixel";
  const bool aligned = how.coordinates == "align_corners";
  if (how.mode == "nearest") {
    if (how.coordinates == "asymmetric" && how.nearest == "floor") return "upsample_nearest";
    if (half && whole && how.nearest != "floor" && how.nearest != "ceil") return "upsample_nearest";
    if (half && how.nearest == "round_prefer_ceil") return "_upsample_nearest_exact";
    return "";
  }
  if (how.mode == "linear") return half || aligned ? "upsample_linear" : "";
  if (how.mode == "cubic") return half || aligned ? "upsample_bicubic" : "";
  return "";
}

std::string WithAxes(const std::string& op, std::size_t axes) {
  if (op == "upsample_linear")
    return axes == 1 ? "upsample_linear1d" : axes == 2 ? "upsample_bilinear2d" : "upsample_trilinear3d";
  if (op == "upsample_bicubic") return axes == 2 ? "upsample_bicubic2d" : "";
  return fmt::format("{}{}d", op, axes);
}

/// Scales of the axes of space, where the node gives scales.
std::vector<double> ScalesOf(const OnnxNode& node, std::size_t index) {
  if (node.HasAttribute("scales")) return node.Numbers("scales");
  const at::Tensor scales = node.Constant(index).to(at::kDouble).contiguous();
  return {scales.const_data_ptr<double>(), scales.const_data_ptr<double>() + scales.numel()};
}

Results ResizeImage(const OnnxNode& node, const Interpolation& how, std::vector<Value*> sizes,
                    std::vector<double> scales) {
  OnnxBuilder& builder = node.builder();
  Value* const input = node.Input(0);
  const auto rank = static_cast<std::size_t>(builder.Rank(input));
  if (rank < 3 || rank > 5 || (sizes.empty() ? scales.size() : sizes.size()) != rank)
    node.Refuse("images of one to three axes are resized");
  if (sizes.empty() && (scales[0] != 1 || scales[1] != 1)) node.Refuse("it resizes the axis of samples or channels");
  bool whole = true;
  std::vector<Value*> space;
  for (std::size_t i = 2; i < rank; ++i) {
    const auto fixed = builder.FixedSize(input, static_cast<std::int64_t>(i));
    if (sizes.empty()) {
      whole &= scales[i] == std::floor(scales[i]);
      if (fixed)
        space.push_back(
            builder.Constant(static_cast<std::int64_t>(std::floor(static_cast<double>(*fixed) * scales[i]))));
      else if (scales[i] == std::floor(scales[i]))
        space.push_back(builder.Call(
            "aten::mul", {builder.Size(input, static_cast<std::int64_t>(i)), static_cast<std::int64_t>(scales[i])}));
      else
        node.Refuse("it scales a size that is not fixed by no whole number");
    } else {
      const auto wanted = builder.ConstantOf(sizes[i]);
      whole &= fixed && wanted && wanted->toInt() % *fixed == 0;
      space.push_back(sizes[i]);
    }
  }
  const std::string op = OperatorFor(how, whole);
  const std::string name = op.empty() ? op : WithAxes(op, rank - 2);
  if (name.empty())
    node.Refuse(fmt::format("no operator of ATen resizes by {}, {}, {}", how.mode, how.coordinates, how.nearest));
  if (sizes.empty() && !whole && how.coordinates != "align_corners") {
    for (std::size_t i = 2; i < rank; ++i) {
      const auto fixed = builder.FixedSize(input, static_cast<std::int64_t>(i));
      const double exact = static_cast<double>(*fixed) * scales[i];
      if (std::abs(exact - std::round(exact)) > 1e-4 * exact) node.Refuse("its scale gives no whole size");
    }
  }
  OnnxBuilder::Arguments arguments{input, builder.Integers(space)};
  if (how.mode != "nearest") arguments.emplace_back(how.coordinates == "align_corners");
  return {builder.Call("aten::" + name, arguments)};
}

Results Resize(const OnnxNode& node) {
  if (node.HasAttribute("axes") || node.Int("antialias", 0) != 0 || node.Int("exclude_outside", 0) != 0 ||
      node.Text("keep_aspect_ratio_policy", "stretch") != "stretch")
    node.Refuse("axes, antialias, exclude_outside and keep_aspect_ratio_policy are not read");
  if (std::abs(node.Number("cubic_coeff_a", -0.75) + 0.75) > 1e-6) node.Refuse("only cubic_coeff_a = -0.75 is read");
  Interpolation how{node.Text("mode", "nearest"), node.Text("coordinate_transformation_mode", "half_pixel"),
                    node.Text("nearest_mode", "round_prefer_floor")};
  if (node.opset() < 11) {
    how.coordinates = "asymmetric";
    how.nearest = "floor";
    return ResizeImage(node, how, {}, ScalesOf(node, 1));
  }
  if (node.Has(3)) return ResizeImage(node, how, node.Integers(3), {});
  return ResizeImage(node, how, {}, ScalesOf(node, 2));
}

Results Upsample(const OnnxNode& node) {
  return ResizeImage(node, {node.Text("mode", "nearest"), "asymmetric", "floor"}, {}, ScalesOf(node, 1));
}

Results GridSample(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  static const std::map<std::string, std::int64_t> modes{
      {"bilinear", 0}, {"linear", 0}, {"nearest", 1}, {"bicubic", 2}, {"cubic", 2}};
  static const std::map<std::string, std::int64_t> borders{{"zeros", 0}, {"border", 1}, {"reflection", 2}};
  const auto mode = modes.find(node.Text("mode", "linear"));
  const auto border = borders.find(node.Text("padding_mode", "zeros"));
  if (mode == modes.end() || border == borders.end()) node.Refuse("its mode is not known");
  return {builder.Call("aten::grid_sampler", {node.Input(0), node.Input(1), mode->second, border->second,
                                              node.Int("align_corners", 0) != 0})};
}

}  // namespace

void AddPadding(OnnxOperators& all) {
  all["Pad"] = Pad;
  all["Resize"] = Resize;
  all["Upsample"] = Upsample;
  all["GridSample"] = GridSample;
}

}  // namespace bitplan::network
