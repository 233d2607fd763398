#include "readers/onnx/example_run.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <functional>
#include <set>
#include <string>

#include "network/lowered_graph.h"

namespace bitplan::network {

namespace {

constexpr std::int64_t kMostZeros = std::int64_t{1} << 24;

const c10::Device kMeta(c10::kMeta);

/// Applies `convert` to a tensor and to those of a list.
c10::IValue OnTensors(const c10::IValue& value, const std::function<at::Tensor(const at::Tensor&)>& convert) {
  if (value.isTensor()) return value.toTensor().defined() ? convert(value.toTensor()) : value;
  if (!value.isList()) return value;
  c10::impl::GenericList converted(value.toList().elementType());
  for (const c10::IValue& item : value.toListRef()) converted.push_back(OnTensors(item, convert));
  return converted;
}

c10::IValue ToMeta(const c10::IValue& value) {
  if (value.isDevice()) return kMeta;
  return OnTensors(value, [](const at::Tensor& tensor) { return tensor.to(kMeta); });
}

c10::IValue ToZeros(const c10::IValue& value) {
  return OnTensors(value, [](const at::Tensor& tensor) {
    TORCH_CHECK(tensor.numel() <= kMostZeros);
    return tensor.is_meta() ? at::zeros(tensor.sizes(), tensor.options().device(at::kCPU)) : tensor.to(at::kCPU);
  });
}

/// What LibTorch has no kernel for that goes without elements: convolutions, in whose place their formula stands.
at::Tensor Convolved(const std::string& op, const std::vector<c10::IValue>& operands) {
  const at::Tensor& input = operands[0].toTensor();
  const at::Tensor& weight = operands[1].toTensor();
  const bool transposed = op.starts_with("conv_transpose");
  const std::int64_t groups = operands[6].toInt();
  const auto stride = operands[3].toIntVector(), padding = operands[4].toIntVector();
  const auto dilation = operands[transposed ? 7 : 5].toIntVector();
  const auto fifth = operands[5].toIntVector();
  TORCH_CHECK(input.dim() == weight.dim() &&
              input.size(1) == weight.size(transposed ? 0 : 1) * (transposed ? 1 : groups));
  std::vector<std::int64_t> sizes{input.size(0), transposed ? weight.size(1) * groups : weight.size(0)};
  for (std::size_t i = 0; i + 2 < static_cast<std::size_t>(input.dim()); ++i) {
    const auto axis = static_cast<std::int64_t>(i + 2);
    const std::int64_t reach = dilation[i] * (weight.size(axis) - 1);
    sizes.push_back(transposed ? (input.size(axis) - 1) * stride[i] - 2 * padding[i] + reach + fifth[i] + 1
                               : (input.size(axis) + 2 * padding[i] - reach - 1) / stride[i] + 1);
    TORCH_CHECK(sizes.back() > 0);
  }
  return at::empty(sizes, input.options());
}

bool IsRecurrent(const std::string& op) { return op == "lstm" || op == "gru" || op == "rnn_tanh" || op == "rnn_relu"; }

/// Of one layer, steps first: [steps, N, directions · H] and the states. Run with states of a wrong size, as those of
/// an example may be, LibTorch's LSTM writes beyond what it allocated.
std::vector<c10::IValue> Recurrent(const std::vector<c10::IValue>& operands) {
  const at::Tensor& input = operands[0].toTensor();
  std::vector<at::Tensor> states;
  if (operands[1].isTensor()) states.push_back(operands[1].toTensor());
  if (operands[1].isList())
    for (const c10::IValue& state : operands[1].toListRef()) states.push_back(state.toTensor());
  TORCH_CHECK(!states.empty() && states[0].dim() == 3 && input.dim() == 3);
  const std::int64_t directions = operands[7].toBool() ? 2 : 1;
  std::vector<c10::IValue> results{
      at::empty({input.size(0), input.size(1), directions * states[0].size(2)}, input.options())};
  results.insert(results.end(), states.begin(), states.end());
  return results;
}

bool ReadsElements(const std::string& op) {
  static const std::set<std::string> all{"Int",     "Float",         "Bool",        "item",
                                         "nonzero", "FloatImplicit", "IntImplicit", "unique_dim"};
  return all.contains(op);
}

std::vector<c10::IValue> AllToMeta(std::vector<c10::IValue> values) {
  std::transform(values.begin(), values.end(), values.begin(), ToMeta);
  return values;
}

}  // namespace

std::vector<c10::IValue> RunOperator(const torch::jit::Node* node, std::vector<c10::IValue> operands) {
  const c10::InferenceMode guard(false);
  const at::NoGradGuard no_gradients;
  torch::jit::Stack stack = std::move(operands);
  node->getOperation()(stack);
  return stack;
}

std::optional<std::vector<c10::IValue>> RunExample(const torch::jit::Node* node, std::vector<c10::IValue> operands) {
  const std::string op = OperatorName(node);
  if (ReadsElements(op)) return std::nullopt;
  try {
    const std::vector<c10::IValue> empty = AllToMeta(operands);
    if (op.starts_with("conv")) return std::vector<c10::IValue>{Convolved(op, empty)};
    if (IsRecurrent(op)) return Recurrent(empty);
    if (op == "batch_norm" || op == "instance_norm") return std::vector<c10::IValue>{empty[0]};
    return AllToMeta(RunOperator(node, empty));
  } catch (const std::exception&) {  // no kernel that goes without elements, or sizes that do not go
  }
  if (IsRecurrent(op) || op == "constant_pad_nd") return std::nullopt;  // with elements it takes what sizes it is told
  try {
    std::transform(operands.begin(), operands.end(), operands.begin(), ToZeros);
    return AllToMeta(RunOperator(node, std::move(operands)));
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

std::optional<std::vector<c10::IValue>> GuessExample(const torch::jit::Node* node,
                                                     const std::vector<c10::IValue>& operands, std::size_t side) {
  const std::string op = OperatorName(node);
  if (!ReadsElements(op) || operands.empty() || !operands[0].isTensor()) return std::nullopt;
  const at::Tensor& input = operands[0].toTensor();
  const std::int64_t guess = side == 0 ? 2 : 3;
  const auto empty = [](std::vector<std::int64_t> sizes, at::ScalarType type) {
    return c10::IValue(at::empty(sizes, at::TensorOptions(type).device(kMeta)));
  };
  if (op == "Int" || op == "IntImplicit") return std::vector<c10::IValue>{guess};
  if (op == "Float" || op == "FloatImplicit") return std::vector<c10::IValue>{static_cast<double>(guess)};
  if (op == "nonzero") return std::vector<c10::IValue>{empty({guess, input.dim()}, at::kLong)};
  if (op != "unique_dim" || operands.size() < 2 || !operands[1].isInt()) return std::nullopt;
  const std::int64_t axis = operands[1].toInt();
  if (axis < 0 || axis >= input.dim()) return std::nullopt;
  std::vector<std::int64_t> sizes = input.sizes().vec();
  sizes[static_cast<std::size_t>(axis)] = guess;
  return std::vector<c10::IValue>{empty(sizes, input.scalar_type()), empty({input.size(axis)}, at::kLong),
                                  empty({guess}, at::kLong)};
}

std::optional<std::vector<c10::IValue>> GuessSizes(const torch::jit::Node* node,
                                                   const std::vector<c10::IValue>& operands, std::size_t side) {
  static const std::set<std::string> all{"reshape", "view", "expand"};
  if (!all.contains(OperatorName(node)) || operands.size() < 2 || !operands[0].isTensor() || !operands[1].isIntList())
    return std::nullopt;
  const std::vector<std::int64_t> sizes(operands[1].toIntVector().size(), side == 0 ? 2 : 3);
  return std::vector<c10::IValue>{at::empty(sizes, operands[0].toTensor().options().device(kMeta))};
}

}  // namespace bitplan::network
