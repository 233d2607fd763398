// Pad.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
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

constexpr std::int64_t kMostPadding = std::int64_t{1} << 20;

/// Along one axis after the other, since ATen pads only some of the axes in one go.
Value* PadByIndex(const OnnxNode& node, Value* input, std::int64_t axis, std::int64_t before, std::int64_t after) {
  OnnxBuilder& builder = node.builder();
  const std::string mode = node.Text("mode", "constant");
  const auto size = builder.FixedSize(input, axis);
  if (!size) node.Refuse("it pads an axis whose size is not fixed");
  if (std::max(std::abs(before), std::abs(after)) > kMostPadding) node.Refuse("it pads by more than 2^20");
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

}  // namespace

void AddPadding(OnnxOperators& all) { all["Pad"] = Pad; }

}  // namespace bitplan::network
