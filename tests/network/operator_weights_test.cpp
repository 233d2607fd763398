// What the table of operators says of weights and of products beside matrix products, seen by calling LibTorch.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "network/operator_call.h"
#include "network/operator_traits.h"

namespace bitplan::test::operators {
namespace {

using c10::IValue;
using enum network::OperatorTrait;
using Sizes = std::vector<std::int64_t>;
using Operands = std::vector<IValue>;

at::Tensor Cube(std::size_t axes) { return at::randn(Sizes(axes, 4)); }

IValue List(const std::vector<at::Tensor>& tensors) { return IValue(tensors); }

/// What an operator is called with, and which of it are its factors or its weights.
struct CallOf {
  Operands operands;
  std::vector<std::size_t> varied;
};

at::Tensor FirstOf(const std::string& name, const Operands& operands) {
  return Call(name, operands).value().front().toTensor();
}

/// The same call with what `change` makes of one operand, or of the last of a list.
Operands Changed(Operands operands, std::size_t position, const std::function<at::Tensor(const at::Tensor&)>& change) {
  if (operands[position].isTensor()) {
    operands[position] = change(operands[position].toTensor());
  } else {
    std::vector<at::Tensor> list = operands[position].toTensorVector();
    list.back() = change(list.back());
    operands[position] = List(list);
  }
  return operands;
}

std::map<std::string, CallOf> ProductCalls() {
  return {{"conv_tbc", {{Cube(3), Cube(3), at::zeros({4})}, {0, 1}}},
          {"bilinear", {{Cube(2), Cube(2), Cube(3)}, {0, 1, 2}}},
          {"_trilinear", {{Cube(2), Cube(3), Cube(2), Sizes{1, 3}, Sizes{0}, Sizes{1, 2}, Sizes{2, 3}}, {0, 1, 2}}},
          {"mv", {{Cube(2), Cube(1)}, {0, 1}}},
          {"addmv", {{at::zeros({4}), Cube(2), Cube(1)}, {1, 2}}},
          {"addbmm", {{at::zeros({4, 4}), Cube(3), Cube(3)}, {1, 2}}},
          {"tensordot", {{Cube(2), Cube(2), Sizes{1}, Sizes{0}}, {0, 1}}},
          {"chain_matmul", {{List({Cube(2), Cube(2)})}, {0}}},
          {"inner", {{Cube(2), Cube(2)}, {0, 1}}},
          {"kron", {{Cube(2), Cube(2)}, {0, 1}}}};
}

TEST(OperatorTraits, OtherProductsAreLinearInEachFactor) {
  const auto calls = ProductCalls();
  ForEach(OtherProduct, [&](const std::string& name) {
    const CallOf& call = calls.at(name);
    const at::Tensor product = FirstOf(name, call.operands);
    EXPECT_GT(product.abs().max().item<double>(), 0);
    for (const std::size_t factor : call.varied) {
      SCOPED_TRACE(factor);
      const auto with = [&](const std::function<at::Tensor(const at::Tensor&)>& change) {
        return FirstOf(name, Changed(call.operands, factor, change));
      };
      at::Tensor added;
      const at::Tensor of_sum = with([&](const at::Tensor& x) { return x + (added = at::randn_like(x)); });
      const at::Tensor of_added = with([&](const at::Tensor& /*x*/) { return added; });
      EXPECT_TRUE(with([](const at::Tensor& x) { return x * 2; }).equal(product * 2));
      EXPECT_TRUE(of_sum.allclose(product + of_added, 1e-4, 1e-4));
    }
  });
  EXPECT_EQ(calls.size(), With(OtherProduct).size());
}

Operands ConvolutionOf(std::size_t axes, const Operands& further) {
  const Sizes ones(axes, 1), zeros(axes, 0);
  Operands operands = {Cube(axes + 2), Cube(axes + 2), IValue(), ones, zeros, ones, false, zeros, 1};
  operands.insert(operands.end(), further.begin(), further.end());
  return operands;
}

Operands Recurrence(const IValue& state, std::int64_t gates) {
  return {Cube(3), state, List({at::randn({4 * gates, 4}), at::randn({4 * gates, 4})}), false, 1, 0.0, false,
          false,   false};
}

Operands Cell(const IValue& state, std::int64_t gates) {
  return {Cube(2), state, at::randn({4 * gates, 4}), at::randn({4 * gates, 4})};
}

std::map<std::string, CallOf> WeightCalls() {
  std::map<std::string, CallOf> calls = {
      {"convolution", {ConvolutionOf(2, {}), {1}}},
      {"_convolution", {ConvolutionOf(2, {false, false, false, false}), {1}}},
      {"_convolution_mode", {{Cube(4), Cube(4), IValue(), Sizes{1, 1}, "valid", Sizes{1, 1}, 1}, {1}}},
      {"conv_tbc", {{Cube(3), Cube(3), at::randn({4})}, {1, 2}}},
      {"linear", {{Cube(2), Cube(2), Cube(1)}, {1, 2}}},
      {"matmul", {{Cube(2), Cube(2)}, {0, 1}}},
      {"mm", {{Cube(2), Cube(2)}, {0, 1}}},
      {"bmm", {{Cube(3), Cube(3)}, {0, 1}}},
      {"addmm", {{Cube(2), Cube(2), Cube(2)}, {0, 1, 2}}},
      {"embedding", {{Cube(2), at::arange(4)}, {0}}},
      {"embedding_bag", {{Cube(2), at::arange(4), at::tensor({0, 2}, at::kLong)}, {0}}},
      {"lstm", {Recurrence(List({at::randn({1, 4, 4}), at::randn({1, 4, 4})}), 4), {2}}},
      {"gru", {Recurrence(at::randn({1, 4, 4}), 3), {2}}},
      {"rnn_tanh", {Recurrence(at::randn({1, 4, 4}), 1), {2}}},
      {"rnn_relu", {Recurrence(at::randn({1, 4, 4}).abs(), 1), {2}}},
      {"lstm_cell", {Cell(List({Cube(2), Cube(2)}), 4), {2, 3}}},
      {"gru_cell", {Cell(Cube(2), 3), {2, 3}}},
      {"rnn_tanh_cell", {Cell(Cube(2), 1), {2, 3}}},
      {"rnn_relu_cell", {Cell(Cube(2), 1), {2, 3}}},
      {"batch_norm", {{Cube(4), Cube(1), Cube(1), IValue(), IValue(), true, 0.1, 1e-5, false}, {1, 2}}},
      {"instance_norm", {{Cube(4), Cube(1), Cube(1), IValue(), IValue(), true, 0.1, 1e-5, false}, {1, 2}}},
      {"layer_norm", {{Cube(4), Sizes{4}, Cube(1), Cube(1)}, {2, 3}}},
      {"group_norm", {{Cube(4), 2, Cube(1), Cube(1)}, {2, 3}}},
      {"rms_norm", {{Cube(4), Sizes{4}, Cube(1)}, {2}}},
      {"prelu", {{Cube(4), Cube(1)}, {1}}}};
  for (const std::string name :
       {"conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"}) {
    const auto axes = static_cast<std::size_t>(network::OperatorAxes(name)) + 2;
    calls[name] = {{Cube(axes), Cube(axes), Cube(1)}, {1, 2}};
  }
  return calls;
}

/// Of other devices, or of weights that are packed: no kernel that the test could call.
const std::set<std::string> kNotCalled = {"conv_depthwise3d",       "_conv_depthwise2d",  "convolution_overrideable",
                                          "quantized_lstm_cell",    "quantized_gru_cell", "quantized_rnn_tanh_cell",
                                          "quantized_rnn_relu_cell"};

TEST(OperatorTraits, WhatHasWeightsComputesWithThem) {
  at::manual_seed(1);
  const auto calls = WeightCalls();
  ForEach(HasWeights, [&](const std::string& name) {
    if (kNotCalled.contains(name)) return;
    const CallOf& call = calls.at(name);
    const at::Tensor before = FirstOf(name, call.operands);
    for (const std::size_t weight : call.varied)
      EXPECT_FALSE(
          FirstOf(name, Changed(call.operands, weight, [](const at::Tensor& w) { return w * 2; })).equal(before))
          << weight;
  });
  EXPECT_EQ(calls.size() + kNotCalled.size(), With(HasWeights).size());
}

}  // namespace
}  // namespace bitplan::test::operators
