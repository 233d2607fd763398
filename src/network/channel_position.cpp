#include "network/channel_position.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "network/operator_arguments.h"
#include "network/operator_traits.h"

namespace bitplan::network {

namespace {

using torch::jit::Node;
using torch::jit::Value;

/// Items of a list of integers, whether the list is a constant or made of values.
struct Sizes {
  std::vector<std::optional<std::int64_t>> known;
  std::vector<const Value*> values;  // null where a constant list holds them

  std::size_t count() const { return known.size(); }
  std::int64_t FromBack(std::size_t i) const { return known[count() - i].value_or(-1); }  // i from 1; -1: not known
};

std::optional<Sizes> SizesOf(const Node* node, const char* argument) {
  Sizes sizes;
  if (const auto constant = IntsArgument(node, argument)) {
    for (const std::int64_t size : *constant) sizes.known.emplace_back(size);
    sizes.values.resize(sizes.count());
    return sizes;
  }
  const Value* const list = Argument(node, argument);
  if (!list || list->node()->kind() != c10::prim::ListConstruct) return std::nullopt;
  for (const Value* item : list->node()->inputs()) {
    sizes.known.push_back(ConstantInt(item));
    sizes.values.push_back(item);
  }
  return sizes;
}

/// The tensor and axis that a number is the size of. Conversions of numbers and lists' items are prim nodes, too.
std::optional<std::pair<const Value*, std::int64_t>> SizeBehind(const Value* value) {
  const Node* node = value->node();
  while (Has(node, OperatorTrait::ConvertsNumber) && !node->inputs().empty()) {
    value = node->inputs()[0];
    node = value->node();
  }
  if (OperatorName(node) == "size")
    if (const auto axis = IntArgument(node, "dim")) return std::pair<const Value*, std::int64_t>(Subject(node), *axis);
  if (node->kind() == c10::prim::ListUnpack && OperatorName(node->inputs()[0]->node()) == "size")
    return std::pair<const Value*, std::int64_t>(Subject(node->inputs()[0]->node()), value->offset());
  if (OperatorName(node) == "__getitem__" && OperatorName(Subject(node)->node()) == "size")
    if (const auto axis = IntArgument(node, "idx"))
      return std::pair<const Value*, std::int64_t>(Subject(Subject(node)->node()), *axis);
  return std::nullopt;
}

/// Whether the items but the last two are the sizes of the axes in front of the channels, one after the other.
bool KeepsAxesInFront(const ChannelPosition& position, const Sizes& sizes) {
  for (std::size_t i = 0; i + 2 < sizes.count(); ++i) {
    const auto behind = sizes.values[i] ? SizeBehind(sizes.values[i]) : std::nullopt;
    if (!behind || !position.alike.contains(behind->first) || behind->second != static_cast<std::int64_t>(i))
      return false;
  }
  return sizes.count() > 2;
}

ChannelPosition Merged(const ChannelPosition& position) { return {position.channels, -1, {}, {}, true, {}}; }

ChannelPosition SplitInto(const ChannelPosition& position, std::optional<std::int64_t> rank) {
  return {position.channels, -1, -2, rank, false, {}};
}

/// A row-major reshape of channels that lie last.
std::optional<ChannelPosition> ReshapedLast(const ChannelPosition& position, const Sizes& sizes) {
  const auto rank = static_cast<std::int64_t>(sizes.count());
  if (rank == 0) return std::nullopt;
  if (sizes.FromBack(1) == position.channels) return ChannelPosition{position.channels, -1, {}, rank, false, {}};
  if (rank > 1 && sizes.FromBack(1) > 0 && position.channels % sizes.FromBack(1) == 0) {
    const std::int64_t heads = position.channels / sizes.FromBack(1);
    if (sizes.FromBack(2) == heads || (sizes.FromBack(2) == -1 && KeepsAxesInFront(position, sizes)))
      return SplitInto(position, rank);
  }
  return Merged(position);
}

std::optional<ChannelPosition> Reshaped(const ChannelPosition& position, const Node* node) {
  const auto sizes = SizesOf(node, OperatorName(node) == "view" ? "size" : "shape");
  if (position.flattened || !sizes) return std::nullopt;
  if (position.heads && (*position.heads != -2 || position.dim != -1)) return std::nullopt;
  if (position.heads) return Merged(position);
  if (position.dim == -1) return ReshapedLast(position, *sizes);
  if (sizes->count() == 2) return Merged(position);  // [N, C, 1, …] to [N, C]
  return std::nullopt;
}

std::optional<ChannelPosition> Flattened(const ChannelPosition& position, const Node* node) {
  const auto first = IntArgument(node, "start_dim"), last = IntArgument(node, "end_dim");
  if (position.flattened || !first || !last) return std::nullopt;
  const bool to_the_end = *last == -1 || (position.rank && *last == *position.rank - 1);
  if (position.heads || position.dim == -1) {
    if (position.heads && (*position.heads != -2 || position.dim != -1)) return std::nullopt;
    if (to_the_end) return Merged(position);
    if (!position.heads && *last < -1) return ChannelPosition{position.channels, -1, {}, {}, false, {}};
    return std::nullopt;
  }
  if (to_the_end && (*first == 1 || *first == position.dim)) return Merged(position);  // [N, C, 1, …] to [N, C]
  return std::nullopt;
}

std::optional<ChannelPosition> Unflattened(const ChannelPosition& position, const Node* node) {
  const auto axis = IntArgument(node, "dim");
  const auto sizes = SizesOf(node, "sizes");
  if (!position.IsPlain() || position.dim != -1 || !axis || !sizes || sizes->count() != 2) return std::nullopt;
  if (*axis != -1 && !(position.rank && *axis == *position.rank - 1)) return std::nullopt;
  return SplitInto(position, position.rank ? std::optional(*position.rank + 1) : std::nullopt);
}

/// `order`: for each axis of the result the one of the operand, both from the front.
ChannelPosition Ordered(ChannelPosition position, const std::vector<std::int64_t>& order) {
  const auto rank = static_cast<std::int64_t>(order.size());
  const auto moved = [&](int from_back) {
    const auto found = std::find(order.begin(), order.end(), from_back + rank);
    return static_cast<int>(found - order.begin() - rank);
  };
  position.dim = moved(position.dim);
  if (position.heads) position.heads = moved(*position.heads);
  position.rank = rank;
  position.alike.clear();
  return position;
}

std::optional<ChannelPosition> Transposed(const ChannelPosition& position, const Node* node) {
  auto one = IntArgument(node, "dim0"), other = IntArgument(node, "dim1");
  if (position.flattened || !one || !other) return std::nullopt;
  constexpr std::int64_t kAnyRank = 8;  // axes from the back are the same in every rank
  if ((*one >= 0 || *other >= 0) && !position.rank) return std::nullopt;
  const std::int64_t rank = position.rank.value_or(kAnyRank);
  std::vector<std::int64_t> order;
  for (std::int64_t axis = 0; axis < rank; ++axis) order.push_back(axis);
  for (auto* axis : {&one, &other}) {
    if (**axis < 0) **axis += rank;
    if (**axis < 0 || **axis >= rank) return std::nullopt;
  }
  std::swap(order[static_cast<std::size_t>(*one)], order[static_cast<std::size_t>(*other)]);
  ChannelPosition result = Ordered(position, order);
  result.rank = position.rank;
  return result;
}

std::optional<ChannelPosition> Permuted(const ChannelPosition& position, const Node* node) {
  auto order = IntsArgument(node, "dims");
  if (position.flattened || !order) return std::nullopt;
  for (std::int64_t& axis : *order) axis += axis < 0 ? static_cast<std::int64_t>(order->size()) : 0;
  return Ordered(position, *order);
}

}  // namespace

std::optional<ChannelPosition> Averaged(const ChannelPosition& position, const Node* node) {
  const auto axes = IntsArgument(node, "dim");
  const auto keep = BoolArgument(node, "keepdim");
  if (!position.IsPlain() || position.dim == -1 || !axes || !keep) return std::nullopt;
  if (static_cast<int>(axes->size()) != -position.dim - 1) return std::nullopt;
  for (const std::int64_t axis : *axes)  // [N, C, …]: as many axes as lie behind the channels
    if (axis < 0 ? axis <= position.dim : axis < 2) return std::nullopt;
  return ChannelPosition{position.channels, *keep ? position.dim : -1};
}

std::optional<ChannelPosition> Rearranged(const ChannelPosition& position, const Node* node) {
  const std::string op = OperatorName(node);
  if (op == "view" || op == "reshape") return Reshaped(position, node);
  if (op == "flatten") return Flattened(position, node);
  if (op == "unflatten") return Unflattened(position, node);
  if (op == "transpose") return Transposed(position, node);
  if (op == "permute") return Permuted(position, node);
  return std::nullopt;
}

}  // namespace bitplan::network
