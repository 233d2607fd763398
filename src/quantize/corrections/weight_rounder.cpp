#include "corrections/weight_rounder.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "bitplan/error.h"
#include "corrections/round_weight.h"

namespace bitplan::quantize {

namespace {

bool IsRecurrent(const Layer& layer) { return layer.op == "lstm" || layer.op == "gru" || layer.op.starts_with("rnn"); }

/// Why the product of a use cannot be told.
std::string ReasonOf(const Layer& layer) {
  if (layer.op == "embedding")
    return layer.uses.size() > 1 ? "it is looked up as well as multiplied"
                                 : "its rows are looked up: the nearest code is the best";
  if (IsRecurrent(layer)) return "what it multiplies stays inside the operator";
  return "it is read in parts, or together with what is only known in a run";
}

}  // namespace

std::variant<std::vector<RoundedUse>, std::string> RoundedUses(const Network& network, std::size_t layer,
                                                               const Format& format, Rounding rounding) {
  const Layer& found = network.layers()[layer];
  if (rounding == Rounding::AdaRound && !format.IsInteger()) return "adaround is of integers";
  std::vector<RoundedUse> uses;
  for (std::size_t use = 0; use < found.uses.size(); ++use) {
    auto product = network::LayerProduct::Of(network, static_cast<int>(layer), use);
    if (!product) return ReasonOf(found);
    auto vectors = InputVectors::Of(*product, network.Weight(found).sizes(), found.channel_axis);
    if (!vectors) return ReasonOf(found);
    uses.push_back({std::move(*product), std::move(*vectors)});
  }
  return uses;
}

namespace {

void CheckSmallestBlockFits(const Layer& layer, Rounding rounding, const InputVectors& vectors,
                            std::int64_t memory_bytes) {
  if (RoundingBlock(rounding, vectors, memory_bytes) > 0) return;
  throw Error(fmt::format(
      "rounding {}: layer '{}', {} values by {} channels, needs {} MiB even in the smallest blocks of its inputs, "
      "and {} MiB are left for it; give more memory (--memory), or round to the nearest",
      ToString(rounding), layer.name, vectors.length(), vectors.rows(),
      (LeastRoundingBytes(rounding, vectors) >> 20) + 1, memory_bytes >> 20));
}

}  // namespace

void CheckRoundingFits(const Network& network, const Plan& plan, std::int64_t memory_bytes) {
  const Rounding rounding = plan.corrections.rounding;
  for (std::size_t i = 0; i < plan.layers.size() && rounding != Rounding::Nearest; ++i) {
    if (!plan.layers[i].weight.HasScale()) continue;
    const auto uses = RoundedUses(network, i, plan.layers[i].weight, rounding);
    if (const auto* const known = std::get_if<std::vector<RoundedUse>>(&uses); known && !known->empty())
      CheckSmallestBlockFits(network.layers()[i], rounding, known->front().vectors, memory_bytes);
  }
}

WeightRounder::WeightRounder(const Network& network, Rounding rounding, std::int64_t memory_bytes,
                             const ProgressCallback& progress, QuantizedState& state)
    : network_(network), rounding_(rounding), memory_bytes_(memory_bytes), progress_(progress), state_(state) {
  for (std::size_t i = 0; i < network.layers().size() && rounding != Rounding::Nearest; ++i)
    if (state.grids[i].format.HasScale()) Add(i);
}

void WeightRounder::Add(std::size_t layer) {
  const Layer& found = network_.layers()[layer];
  LayerRounding& told = state_.roundings[layer];
  if (state_.grids[layer].outlier_columns.defined()) {
    told.reason = "some of its inputs stay in float16";
    return;
  }
  auto uses = RoundedUses(network_, layer, state_.grids[layer].format, rounding_);
  if (const auto* const reason = std::get_if<std::string>(&uses)) {
    told.reason = *reason;
    return;
  }
  auto& known = std::get<std::vector<RoundedUse>>(uses);
  if (!known.empty()) CheckSmallestBlockFits(found, rounding_, known.front().vectors, memory_bytes_);
  for (std::size_t use = 0; use < known.size(); ++use)
    readers_.emplace(found.uses[use].input_site, Reader{layer, found.uses[use].output_site, std::move(known[use])});
  rounded_[layer] = false;
  told.reason = "no calibration sample reaches it";  // until one does
}

void WeightRounder::Read(int site, const at::Tensor& x) {
  const auto [first, last] = readers_.equal_range(site);
  for (auto found = first; found != last && x.numel() > 0; ++found) {
    const Reader& reader = found->second;
    if (!std::exchange(rounded_[reader.layer], true)) Round(reader, x);
    changes_[reader.output_site] = reader.use.product(x, changed_.at(reader.layer));
  }
}

std::optional<at::Tensor> WeightRounder::TakeChange(int output_site) {
  const auto found = changes_.find(output_site);
  if (found == changes_.end()) return std::nullopt;
  at::Tensor change = std::move(found->second);
  changes_.erase(found);
  return change;
}

void WeightRounder::Round(const Reader& reader, const at::Tensor& x) {
  Report(progress_, "rounding weights", done_++, static_cast<std::int64_t>(rounded_.size()));
  const std::size_t layer = reader.layer;
  const InputVectors& vectors = reader.use.vectors;
  const QuantizedTensor nearest = state_.grids[layer];
  const at::Tensor weight = network_.Weight(network_.layers()[layer]);
  QuantizedTensor rounded;
  try {
    rounded = RoundWeight(rounding_, weight, nearest, vectors, x, memory_bytes_);
  } catch (const Error& error) {
    throw Error(fmt::format("layer '{}': {}", network_.layers()[layer].name, error.what()));
  }
  const std::int64_t block = RoundingBlock(rounding_, vectors, memory_bytes_);
  state_.roundings[layer] = {rounding_, (vectors.length() + block - 1) / block, ""};
  changed_[layer] = rounded.value - nearest.value;
  state_.weights[layer] = state_.grids[layer] = std::move(rounded);
  state_.parameters[static_cast<std::size_t>(network_.layers()[layer].weight)] = state_.grids[layer].value;
}

}  // namespace bitplan::quantize
