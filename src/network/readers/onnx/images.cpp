// AffineGrid, GridSample, CenterCropPad, Col2Im.
#include <ATen/ATen.h>

#include <numeric>

#include "readers/onnx/node.h"

namespace bitplan::network {

namespace {

using torch::jit::Value;
using Results = std::vector<OnnxValue>;
using Axes = std::vector<std::int64_t>;

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

Results AffineGrid(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  std::vector<Value*> sizes = node.Integers(1);
  if (sizes.size() != 4 && sizes.size() != 5) node.Refuse("grids of two and three axes are read");
  sizes[0] = builder.Size(node.Input(0), 0);
  return {builder.Call("aten::affine_grid_generator",
                       {node.Input(0), builder.Integers(sizes), node.Int("align_corners", 0) != 0})};
}

/// half of a difference, rounded down, or 0 where it is negative.
Value* HalfOf(OnnxBuilder& builder, Value* more, Value* less) {
  Value* const difference = builder.Call("prim::max", {builder.Call("aten::sub", {more, less}), 0});
  return builder.Call("aten::floordiv", {difference, 2});
}

/// The middle of each axis, or zeros around it.
Results CenterCropPad(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  Value* result = node.Input(0);
  const std::vector<Value*> wanted = node.Integers(1);
  Axes axes(wanted.size());
  std::iota(axes.begin(), axes.end(), 0);
  axes = node.Ints("axes", axes);
  if (axes.size() != wanted.size()) node.Refuse("it has other numbers of axes than of sizes");
  const std::int64_t rank = builder.Rank(result);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::int64_t axis = builder.Axis(result, axes[i]);
    Value* const size = builder.Size(result, axis);
    Value* const begin = HalfOf(builder, size, wanted[i]);
    Value* const end = builder.Call("aten::add", {begin, wanted[i]});
    result = builder.Call("aten::slice", {result, axis, begin, end, 1});
    Value* const before = HalfOf(builder, wanted[i], size);
    Value* const missing = builder.Call("prim::max", {builder.Call("aten::sub", {wanted[i], size}), 0});
    std::vector<Value*> pads(static_cast<std::size_t>(2 * (rank - 1 - axis)), builder.Constant(0));
    pads.push_back(before);
    pads.push_back(builder.Call("aten::sub", {missing, before}));
    result = builder.Call("aten::constant_pad_nd", {result, builder.Integers(pads), 0});
  }
  return {result};
}

/// How blocks lie in an image, one number an axis of space.
struct Blocks {
  Axes image, kernel, strides, dilations, begin, end;

  explicit Blocks(const OnnxNode& node) : image(node.ConstantIntegers(1)), kernel(node.ConstantIntegers(2)) {
    const std::size_t axes = image.size();
    strides = node.Ints("strides", Axes(axes, 1));
    dilations = node.Ints("dilations", Axes(axes, 1));
    const Axes pads = node.Ints("pads", Axes(2 * axes, 0));
    if (axes == 0 || kernel.size() != axes || strides.size() != axes || dilations.size() != axes ||
        pads.size() != 2 * axes)
      node.Refuse("its strides, dilations, pads or blocks have other axes than the image");
    begin.assign(pads.begin(), pads.begin() + static_cast<std::ptrdiff_t>(axes));
    end.assign(pads.begin() + static_cast<std::ptrdiff_t>(axes), pads.end());
    for (std::size_t i = 0; i < axes; ++i)
      if (image[i] < 1 || kernel[i] < 1 || strides[i] < 1 || dilations[i] < 1 || begin[i] < 0 || end[i] < 0 ||
          CountOf(i) < 1)
        node.Refuse("its blocks do not fit into the image");
  }

  std::int64_t Padded(std::size_t axis) const { return begin[axis] + image[axis] + end[axis]; }
  std::int64_t CountOf(std::size_t axis) const {
    return (Padded(axis) - dilations[axis] * (kernel[axis] - 1) - 1) / strides[axis] + 1;
  }

  /// Place in the padded image, flattened, of each element: [elements of a block · blocks].
  at::Tensor Places() const {
    at::Tensor places = at::zeros({1, 1}, at::kLong);  // [elements, blocks]
    for (std::size_t i = 0; i < image.size(); ++i) {
      const at::Tensor inside = at::arange(kernel[i]) * dilations[i], first = at::arange(CountOf(i)) * strides[i];
      const at::Tensor own = inside.unsqueeze(1) + first.unsqueeze(0);
      const at::Tensor all = places.unsqueeze(1).unsqueeze(3) * Padded(i) + own.unsqueeze(1).unsqueeze(0);
      places = all.reshape({places.size(0) * kernel[i], -1});
    }
    return places.flatten();
  }
};

constexpr std::int64_t kMostPlaces = std::int64_t{1} << 24;

/// Adds up overlapping blocks: [N, C · elements, blocks] to [N, C, …].
Results Col2Im(const OnnxNode& node) {
  OnnxBuilder& builder = node.builder();
  const Blocks blocks(node);
  double places = 1;
  std::int64_t padded = 1, elements = 1;
  for (std::size_t i = 0; i < blocks.image.size(); ++i) {
    places *= static_cast<double>(blocks.kernel[i]) * static_cast<double>(blocks.CountOf(i));
    if (places > kMostPlaces) node.Refuse("it has more than 2^24 elements a channel");
    padded *= blocks.Padded(i);
    elements *= blocks.kernel[i];
    if (padded > kMostPlaces) node.Refuse("its image has more than 2^24 elements a channel");
  }
  Value* const channels =
      builder.Call("aten::flatten", {builder.Call("aten::unflatten", {node.Input(0), 1, Axes{-1, elements}}), 2, 3});
  Value* const sizes =
      builder.Integers({builder.Size(channels, 0), builder.Size(channels, 1), builder.Constant(padded)});
  Value* const empty =
      builder.Call("aten::zeros", {sizes}, {{"dtype", builder.Type(channels)}, {"device", builder.device()}});
  Value* const flat = builder.Call("aten::index_add", {empty, 2, builder.Constant(blocks.Places()), channels});
  Axes whole, crop;
  for (std::size_t i = 0; i < blocks.image.size(); ++i) {
    const std::size_t last = blocks.image.size() - 1 - i;
    whole.push_back(blocks.Padded(i));
    crop.push_back(-blocks.begin[last]);
    crop.push_back(-blocks.end[last]);
  }
  return {builder.Call("aten::constant_pad_nd", {builder.Call("aten::unflatten", {flat, 2, whole}), crop, 0})};
}

}  // namespace

void AddImages(OnnxOperators& all) {
  all["GridSample"] = GridSample;
  all["AffineGrid"] = AffineGrid;
  all["CenterCropPad"] = CenterCropPad;
  all["Col2Im"] = Col2Im;
}

}  // namespace bitplan::network
