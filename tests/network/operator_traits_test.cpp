#include "network/operator_traits.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/runtime/operator.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "network/operator_call.h"

namespace bitplan::test::operators {
namespace {

using c10::IValue;
using network::Has;
using enum network::OperatorTrait;

TEST(OperatorTraits, EveryOperatorIsOneOfLibTorchAndStandsThereOnce) {
  std::set<std::string_view> names;
  for (const auto& row : network::KnownOperators()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name << " twice";
    const std::string name(row.name);
    EXPECT_FALSE(torch::jit::getAllOperatorsFor(c10::Symbol::fromQualString("aten::" + name)).empty() &&
                 torch::jit::getAllOperatorsFor(c10::Symbol::fromQualString("prim::" + name)).empty())
        << "no operator " << name;
  }
  EXPECT_FALSE(Has("no_such_operator", View));
}

TEST(OperatorTraits, CopiesKeepElementsAndShape) {
  ForEach(Copy, [](const std::string& name) {
    const at::Tensor x = Random(name);
    EXPECT_TRUE(Result(name, x).equal(x));
  });
}

TEST(OperatorTraits, WhatKeepsAxesMovesNoElementToAnotherOne) {
  ForEach(KeepsAxes, [](const std::string& name) {
    const at::Tensor x = at::arange(256, at::kFloat).view({4, 4, 4, 4}), y = Result(name, x);
    ASSERT_EQ(y.dim(), 4);
    for (std::int64_t axis = 0; axis < 4; ++axis) {  // the digit to base 4 that an axis counts
      const at::Tensor digit = (y.to(at::kLong) / static_cast<std::int64_t>(1 << 2 * (3 - axis))).to(at::kLong) % 4;
      for (std::int64_t other = 0; other < 4; ++other)
        EXPECT_TRUE(other == axis || digit.eq(digit.narrow(other, 0, 1)).all().item<bool>()) << axis;
    }
  });
}

TEST(OperatorTraits, ViewsLieInTheirOperandsMemory) {
  ForEach(View, [](const std::string& name) {
    const at::Tensor x = Random(name);
    const IValue view = Of(name, x);
    for (const at::Tensor& part : view.isTensor() ? std::vector{view.toTensor()} : view.toTensorVector())
      EXPECT_TRUE(part.is_alias_of(x));
  });
}

TEST(OperatorTraits, SwapsAreTheirOwnInverse) {
  ForEach(OwnInverse, [](const std::string& name) {
    const at::Tensor x = Random(name), y = Result(name, x);
    EXPECT_FALSE(y.equal(x));
    EXPECT_TRUE(Result(name, y).equal(x));
  });
  for (const std::string& name : With(TransposesAxes)) EXPECT_TRUE(Has(name, OwnInverse)) << name;
}

TEST(OperatorTraits, ReshapesKeepTheOrder) {
  ForEach(KeepsOrder, [](const std::string& name) {
    const at::Tensor x = Random(name);
    EXPECT_TRUE(Result(name, x).reshape(-1).equal(x.reshape(-1)));
  });
}

TEST(OperatorTraits, PartsMakeUpTheWhole) {
  ForEach(Parts, [](const std::string& name) {
    const at::Tensor x = Random(name);
    EXPECT_TRUE(at::cat(Of(name, x).toTensorVector(), 1).equal(x));
  });
}

TEST(OperatorTraits, DropoutHandsItsOperandOnInEvalMode) {
  ForEach(Dropout, [](const std::string& name) {
    const at::Tensor x = Random(name);
    EXPECT_TRUE(Of(name, x).toTensor().is_same(x));
  });
}

TEST(OperatorTraits, RearrangementsComputeNothing) {
  ForEach(Rearranges,
          [](const std::string& name) { EXPECT_TRUE(Holds(Numbered(name), Result(name, Numbered(name)))); });
}

TEST(OperatorTraits, WhatKeepsCodesWorksOnIntegers) {
  ForEach(KeepsCodes, [](const std::string& name) {
    const at::Tensor x = Numbered(name), y = Result(name, x);
    EXPECT_TRUE(Holds(at::cat({x.reshape(-1), at::zeros({1})}), y));
    const at::Tensor codes = Result(name, x.to(at::kLong));
    EXPECT_EQ(codes.scalar_type(), at::kLong);
    EXPECT_TRUE(codes.to(at::kFloat).equal(y));
  });
}

TEST(OperatorTraits, WhatHandsOnDoesSoWithoutASchemaThatSaysIt) {
  ForEach(HandsOn, [](const std::string& name) {
    const auto overloads = torch::jit::getAllOperatorsFor(c10::Symbol::fromQualString("aten::" + name));
    EXPECT_TRUE(std::any_of(overloads.begin(), overloads.end(),
                            [](const auto& each) { return !each->schema().returns().at(0).alias_info(); }));
    if (name == "einsum") return;  // of one operand
    const at::Tensor x = Random(name);
    const IValue result = Of(name, x);
    EXPECT_TRUE((result.isTensor() ? result.toTensor() : result.toTensorVector().at(0)).is_alias_of(x));
  });
}

TEST(OperatorTraits, ReshapesInPlaceAreViewsOfTheOperandItself) {
  ForEach(ReshapesInPlace, [](const std::string& name) {
    EXPECT_TRUE(Has(name, ChangesTensor));
    const at::Tensor x = Random(name), plain = Result(name.substr(0, name.size() - 1), x), changed = x.clone();
    const at::Tensor result = Of(name, changed).toTensor();
    EXPECT_TRUE(result.is_same(changed));
    EXPECT_TRUE(result.equal(plain));
  });
}

/// The same elements, with the axes the other way round in memory, and not from its beginning on.
at::Tensor Elsewhere(const at::Tensor& tensor) {
  std::vector<std::int64_t> sizes = tensor.sizes().vec(), order(sizes.size());
  ++sizes.front();
  std::reverse(sizes.begin(), sizes.end());
  std::iota(order.rbegin(), order.rend(), 0);
  return at::zeros(sizes).permute(order).narrow(0, 1, tensor.size(0)).copy_(tensor);
}

TEST(OperatorTraits, StridesAreSeen) {
  ForEach(DependsOnStrides, [](const std::string& name) {
    if (name == "set_") return;  // lies as another tensor does, afterwards
    const at::Tensor x = name == "view_as_complex" ? at::randn({4, 2}) : Random(name), other = Elsewhere(x);
    ASSERT_TRUE(other.equal(x));
    const auto run = [&](const at::Tensor& operand) { return Of(name, operand, at::zeros({64, 4})); };
    const IValue expected = run(x.clone());
    try {
      const IValue result = run(other);
      EXPECT_FALSE(expected.isTensor() ? result.toTensor().equal(expected.toTensor()) : result == expected);
    } catch (const c10::Error&) {  // what views cannot do
    }
  });
}

TEST(OperatorTraits, ArgumentsHaveTheNamesThatTheTraitPromises) {
  const std::vector<std::pair<network::OperatorTrait, std::vector<std::string>>> promised = {
      {Convolution, {"weight", "bias", "stride", "dilation", "groups"}},
      {Dropout, {"train"}},
      {NormalizesLastAxis, {"weight"}},
      {Recurrent, {"hx", "params", "num_layers", "bidirectional", "train"}},
      {RecurrentCell, {"input", "hx", "w_ih", "w_hh"}}};
  for (const auto& [trait, arguments] : promised)
    ForEach(trait, [&](const std::string& name) {
      for (const auto& overload : torch::jit::getAllOperatorsFor(c10::Symbol::fromQualString("aten::" + name)))
        for (const std::string& argument : arguments)
          EXPECT_TRUE(overload->schema().argumentIndexWithName(argument)) << argument;
    });
}

TEST(OperatorTraits, OperatorsInPlaceHaveTheNameOfThePlainOne) {
  for (const auto& row : network::KnownOperators())
    if (row.name.ends_with('_')) {
      const std::string_view plain = row.name.substr(0, row.name.size() - 1);
      EXPECT_EQ(network::TargetOperator(row.name), network::TargetOperator(plain)) << row.name;
    }
}

}  // namespace
}  // namespace bitplan::test::operators
