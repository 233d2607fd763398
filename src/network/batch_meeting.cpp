#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/csrc/jit/ir/constants.h>

#include <algorithm>
#include <string>

#include "bitplan/error.h"
#include "network/batching.h"
#include "network/lowered_graph.h"
#include "network/operator_arguments.h"
#include "network/operator_traits.h"
#include "network/torch_error.h"

namespace bitplan::network {

using torch::jit::Node;

std::vector<at::Tensor> Batches::Inputs(const std::vector<at::Tensor>& all, std::size_t batch) const {
  if (AsGiven()) return all;
  const std::int64_t begin = static_cast<std::int64_t>(batch) * size, given = std::min(size, samples - begin);
  std::vector<at::Tensor> inputs;
  for (const at::Tensor& input : all) {
    const at::Tensor own = input.narrow(0, begin, given);
    inputs.push_back(given == size ? own
                                   : at::cat({own, own.narrow(0, given - 1, 1).repeat_interleave(size - given, 0)}));
  }
  return inputs;
}

at::Tensor Batches::Join(const std::vector<at::Tensor>& outputs) const {
  for (const at::Tensor& output : outputs)
    if (output.sizes() != outputs.front().sizes())
      throw RefusedNetwork(fmt::format("the network gives outputs of different shapes, [{}] and [{}], for its samples",
                                       fmt::join(outputs.front().sizes(), ", "), fmt::join(output.sizes(), ", ")));
  return at::cat(outputs).narrow(0, 0, samples);
}

namespace {

std::int64_t VersionOf(const at::Tensor& value) {
  return value.is_inference() ? 0 : static_cast<std::int64_t>(value._version());
}

/// Spatial axes of a convolution; 0 for other operators.
std::int64_t SpatialAxes(const Node* node) {
  if (!Has(node, OperatorTrait::Convolution)) return 0;
  if (const int axes = OperatorAxes(OperatorName(node)); axes > 0) return axes;
  const auto stride = IntsArgument(node, "stride");
  return stride ? static_cast<std::int64_t>(stride->size()) : 0;
}

/// Whether a tensor at a tap is a convolution's without an axis for samples.
bool IsUnbatchedConvolution(const Node* tap, const at::Tensor& value) {
  if (SpatialAxes(Subject(tap)->node()) == value.dim() - 1) return true;
  const auto& uses = tap->output()->uses();
  return std::any_of(uses.begin(), uses.end(),
                     [&](const torch::jit::Use& use) { return SpatialAxes(use.user) == value.dim() - 1; });
}

std::int64_t TapNumber(const torch::jit::Stack& others) { return others[1].toInt(); }

/// A batch norm that normalizes by its batch, on the samples of all batches.
at::Tensor RunOperator(const Node* node, const at::Tensor& value, const torch::jit::Stack& others) {
  torch::jit::Stack stack{value};
  stack.insert(stack.end(), others.begin(), others.end());
  node->getOperation()(stack);
  return stack.back().toTensor();
}

}  // namespace

std::optional<BatchMeeting::Form> BatchMeeting::FormOf(const Node* node, const std::vector<at::Tensor>& values) const {
  const at::Tensor& first = values.front();
  const bool alike = std::all_of(values.begin(), values.end(),
                                 [&](const at::Tensor& value) { return value.sizes() == first.sizes(); });
  if (!alike || first.dim() == 0) return std::nullopt;
  const auto count = static_cast<std::int64_t>(values.size());
  if (batches_.size == 1 && (first.dim() == 1 || IsUnbatchedConvolution(node, first))) return Form{true, 1, count};
  Form form{false, first.size(0), count * first.size(0)};
  const bool mixed =
      node->kind() == TapSymbol() && batches_.mixed_taps && batches_.mixed_taps->contains(TapNumber(node));
  if (!mixed && form.rows % batches_.size == 0) form.taken = form.rows / batches_.size * batches_.samples;
  return form;
}

at::Tensor BatchMeeting::Together(const std::vector<at::Tensor>& values, const Form& form) {
  const at::Tensor& first = values.front();
  std::erase_if(met_, [](const Met& met) { return met.first.expired() || met.joined.expired(); });
  for (const Met& met : met_) {
    if (met.first._unsafe_get_target() != first.unsafeGetTensorImpl() || met.version != VersionOf(first)) continue;
    if (auto joined = met.joined.lock()) return at::Tensor(std::move(joined));
  }
  const at::Tensor joined = form.stacked ? at::stack(values) : at::cat(values).narrow(0, 0, form.taken);
  met_.push_back({Met::Weak(first.getIntrusivePtr()), Met::Weak(joined.getIntrusivePtr()), VersionOf(first)});
  return joined;
}

std::vector<at::Tensor> BatchMeeting::Apart(const at::Tensor& joined, const Form& form, std::size_t batches) const {
  std::vector<at::Tensor> values;
  for (std::size_t i = 0; i < batches; ++i) {
    const auto begin = static_cast<std::int64_t>(i) * form.rows;
    if (form.stacked) {
      values.push_back(joined.select(0, begin).clone());
      continue;
    }
    const std::int64_t given = std::min(form.rows, joined.size(0) - begin);
    at::Tensor value = joined.narrow(0, begin, given);
    if (given < form.rows) {  // the copies of the last sample
      const std::int64_t of_sample = form.rows / batches_.size;
      const at::Tensor last = value.narrow(0, given - of_sample, of_sample);
      std::vector<at::Tensor> parts{value};
      parts.insert(parts.end(), static_cast<std::size_t>((form.rows - given) / of_sample), last);
      values.push_back(at::cat(parts));
    } else {
      values.push_back(value.clone());  // each its own, since operators may write to it
    }
  }
  return values;
}

std::vector<at::Tensor> BatchMeeting::operator()(const Node* node, const std::vector<at::Tensor>& values,
                                                 const torch::jit::Stack& others) {
  const bool is_tap = node->kind() == TapSymbol();
  const auto probe = is_tap ? others[0].toCustomClass<ProbeHandle>() : c10::intrusive_ptr<ProbeHandle>();
  if (is_tap && !probe->visit) return values;
  const auto compute = [&](const at::Tensor& value) {
    return is_tap ? VisitTap(value, probe, TapNumber(others)) : RunOperator(node, value, others);
  };
  const auto form = FormOf(node, values);
  if (!form) {
    std::vector<at::Tensor> results;
    for (const at::Tensor& value : values) results.push_back(compute(value));
    return results;
  }
  const at::Tensor joined = Together(values, *form), result = compute(joined);
  // Where derivatives are taken, those at what the probe has seen: what follows must have been computed from it.
  return result.is_same(joined) && !joined.requires_grad() ? values : Apart(result, *form, values.size());
}

}  // namespace bitplan::network
