#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "network/operator_call.h"
#include "network/operator_traits.h"

namespace bitplan::test::operators {
namespace {

using c10::IValue;
using enum network::OperatorTrait;

at::Tensor Flipped(const at::Tensor& tensor) { return tensor.reshape(-1).flip(0); }

TEST(OperatorTraits, RoundingToAGridMayComeBeforeOrAfter) {
  const auto round = [](const at::Tensor& x) { return (x * 2).round() / 2; };  // −1, 0, 1 and 6 are on it
  ForEach(CommutesWithRounding, [&](const std::string& name) {
    const at::Tensor x = Random(name);
    EXPECT_TRUE(Result(name, round(x)).equal(round(Result(name, x))));
  });
}

TEST(OperatorTraits, HomogeneousFunctionsScaleWithTheirOperandElementByElement) {
  ForEach(Homogeneous, [](const std::string& name) {
    const at::Tensor x = Random(name), y = Result(name, x);
    EXPECT_TRUE(Result(name, x * 4).equal(y * 4));
    EXPECT_TRUE(Result(name, Flipped(x).view(x.sizes())).equal(Flipped(y).view(x.sizes())));
  });
}

TEST(OperatorTraits, ChannelsAreTreatedAlikeAndAlone) {
  ForEach(TreatsChannelsAlike, [](const std::string& name) {
    const at::Tensor x = Random(name).abs() + 0.1, y = Result(name, x);  // roots, logarithms
    EXPECT_TRUE(Result(name, x.roll(1, 1)).equal(y.roll(1, 1)));
    at::Tensor changed = x.clone();
    changed.select(1, 0).add_(1);
    EXPECT_TRUE(Result(name, changed).narrow(1, 1, 3).equal(y.narrow(1, 1, 3)));
    EXPECT_EQ(y.size(1), 4);
  });
}

TEST(OperatorTraits, TensorsAreCombinedElementByElement) {
  ForEach(CombinesTensors, [](const std::string& name) {
    const at::Tensor a = Random(name, 1), b = Random(name, 2), y = Result(name, a, b);
    EXPECT_EQ(y.sizes(), a.sizes());
    EXPECT_TRUE(Flipped(Result(name, Flipped(a), Flipped(b))).equal(y.reshape(-1)));
  });
}

TEST(OperatorTraits, MeansPass) {
  ForEach(PassesMean, [](const std::string& name) {
    const at::Tensor x = Random(name);
    EXPECT_NEAR(Result(name, x).mean().item<double>(), x.mean().item<double>(), 1e-5);
  });
}

/// Axes in front stay, those that the windows lie along change.
void ExpectAxes(const std::string& name, const at::Tensor& operand, const at::Tensor& result) {
  ASSERT_EQ(result.dim(), operand.dim());
  for (std::int64_t axis = 0; axis < operand.dim(); ++axis)
    EXPECT_EQ(result.size(axis) != operand.size(axis), axis >= operand.dim() - network::OperatorAxes(name)) << axis;
}

TEST(OperatorTraits, PoolsTakeTheLargestOrTheMean) {
  ForEach(MaxPool, [](const std::string& name) {
    const at::Tensor x = Random(name), y = Result(name, x);
    ExpectAxes(name, x, y);
    EXPECT_TRUE(Holds(x, y));
    EXPECT_EQ(y.max().item<float>(), x.max().item<float>());
  });
  ForEach(AveragePool, [](const std::string& name) {
    const at::Tensor x = Random(name), y = Result(name, x);
    ExpectAxes(name, x, y);
    EXPECT_NEAR(y.mean().item<double>(), x.mean().item<double>(), 1e-5);
    EXPECT_LT(y.max().item<float>(), x.max().item<float>());
  });
}

TEST(OperatorTraits, UpsamplingIsLinearAndKeepsConstants) {
  ForEach(Upsampling, [](const std::string& name) {
    const at::Tensor a = Random(name, 1), b = Random(name, 2);
    ExpectAxes(name, a, Result(name, a));
    EXPECT_TRUE(Result(name, a + b).allclose(Result(name, a) + Result(name, b), 1e-4, 1e-5));
    EXPECT_TRUE(Result(name, at::ones_like(a)).allclose(at::ones({1})));
  });
}

TEST(OperatorTraits, NormsForgetTheScale) {
  ForEach(Norm, [](const std::string& name) {
    const at::Tensor x = Random(name), y = Result(name, x);
    EXPECT_TRUE(Result(name, x * 8).allclose(y, 1e-3, 1e-4));
    EXPECT_FALSE(y.allclose(x, 1e-3, 1e-3));
  });
  ForEach(NormalizesLastAxis, [](const std::string& name) {
    at::Tensor x = Random(name);
    const at::Tensor y = Result(name, x);
    EXPECT_TRUE(Result(name, x * 8).allclose(y, 1e-3, 1e-4));
    x.view({64, 4}).select(0, 0).mul_(at::randn({4}));
    EXPECT_TRUE(Result(name, x).view({64, 4}).narrow(0, 1, 63).equal(y.view({64, 4}).narrow(0, 1, 63)));
  });
}

TEST(OperatorTraits, ProductsAreLinearInTheLastFactor) {
  ForEach(Product, [](const std::string& name) {
    const std::vector<std::int64_t> shape(name.find("bmm") == std::string::npos ? 2 : 3, 4);
    const at::Tensor a = at::randn(shape), b = at::randn(shape);
    const auto product = [&](const at::Tensor& factor) {
      if (const auto of_two = Call(name, {a, factor})) return of_two->front().toTensor();
      if (const auto of_list = Call(name, {std::vector<at::Tensor>{a, factor}})) return of_list->front().toTensor();
      return Call(name, {at::zeros(shape), a, factor}).value().front().toTensor();
    };
    EXPECT_TRUE(product(b * 2).equal(product(b) * 2));
    EXPECT_TRUE(product(b).allclose(at::matmul(a, b), 1e-4, 1e-5));
  });
}

TEST(OperatorTraits, FloatStaysFloat) {
  ForEach(KeepsFloat, [](const std::string& name) {
    const at::Tensor x = Random(name).abs();
    const at::Tensor part = name == "select_scatter" ? x.select(1, 0) : x.narrow(1, 1, 3);
    EXPECT_EQ(Result(name, x, name.ends_with("_scatter") ? part : x).scalar_type(), at::kFloat);
  });
}

TEST(OperatorTraits, BesideAFloatParameterOnlyFloatIsTaken) {
  for (const std::string name : {"conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d",
                                 "conv_transpose3d", "linear", "matmul", "mm", "bmm"}) {
    SCOPED_TRACE(name);
    const at::Tensor x = Random(name);
    EXPECT_TRUE(network::Has(name, ComputesInFloat));
    EXPECT_EQ(Result(name, x, x).scalar_type(), at::kFloat);
    EXPECT_THROW(Result(name, x.to(at::kDouble), x), c10::Error);
  }
}

TEST(OperatorTraits, TypesAreKept) {
  ForEach(KeepsType, [](const std::string& name) {
    for (const auto type : {at::kHalf, at::kDouble, at::kLong})
      EXPECT_EQ(Result(name, Random(name).to(type)).scalar_type(), type);
  });
}

TEST(OperatorTraits, PredicatesMakeBooleansAndInPlaceNumbers) {
  ForEach(MakesBool, [](const std::string& name) {
    const at::Tensor x = Random(name);
    EXPECT_EQ(Result(name, x, x).scalar_type(), at::kFloat);
    EXPECT_EQ(Result(name.substr(0, name.size() - 1), x, x).scalar_type(), at::kBool);
  });
}

TEST(OperatorTraits, ShapesAreAskedForWithoutElements) {
  ForEach(AsksForShape, [](const std::string& name) {
    const at::Tensor x = Random(name);
    const IValue answer = Of(name, x);
    EXPECT_FALSE(answer.isTensor());
    EXPECT_EQ(answer, Of(name, x + 1));
  });
}

TEST(OperatorTraits, ElementsAreReadOut) {
  ForEach(ReadsElements, [](const std::string& name) {
    if (name == "tolist") return;  // reads numbers beside its operand that only the compiler gives
    const at::Tensor one = at::ones({}, at::kLong), zero = at::zeros({}, at::kLong);
    EXPECT_FALSE(Of(name, one, one).isTensor());
    EXPECT_NE(Of(name, one, one), Of(name, zero, one));
  });
}

TEST(OperatorTraits, NumbersAndTensorsOfOneAreConverted) {
  ForEach(ConvertsNumber, [](const std::string& name) {
    const auto to_tensor = Call(name, {std::int64_t{7}});
    if (to_tensor && to_tensor->front().isTensor()) {
      EXPECT_EQ(to_tensor->front().toTensor().item<std::int64_t>(), 7);
    } else {
      EXPECT_EQ(Of(name, at::full({}, 7, at::kLong)).toInt(), 7);
    }
  });
}

TEST(OperatorTraits, OfSomeOperandsOnlyFactsAreRead) {
  ForEach(ReadsFactsOfFirst, [](const std::string& name) {
    const at::Tensor x = Random(name), y = Result(name, x);
    const at::Tensor z = Result(name, x + 1);
    EXPECT_EQ(y.sizes(), z.sizes());
    EXPECT_TRUE(name.starts_with("empty") || y.equal(z));
  });
  ForEach(ReadsFactsOfSecond, [](const std::string& name) {
    const at::Tensor x = Random(name, 1), b = Random(name, 2);
    const auto with = [&](const at::Tensor& second) { return Call(name, {x, second}).value().front().toTensor(); };
    EXPECT_TRUE(with(b).equal(with(b + 1)));
  });
}

}  // namespace
}  // namespace bitplan::test::operators
