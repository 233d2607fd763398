// What a Dataset does with samples, whatever file they came from.
#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "bitplan/data.h"
#include "data/draw.h"
#include "data/error_message.h"
#include "data/tensor_values.h"

namespace bitplan {
namespace {

using test::ErrorMessage;
using test::Shape;
using test::Values;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

at::Tensor Numbers(std::int64_t count) { return at::arange(count, at::kFloat).reshape({count, 1}); }

std::string MessageOfTensors(std::vector<at::Tensor> inputs, const at::Tensor& labels = {},
                             const DataOptions& options = {}) {
  return ErrorMessage([&] { Dataset::FromTensors(std::move(inputs), labels, options); });
}

DataOptions Normalization(std::vector<double> mean, std::vector<double> std) {
  DataOptions options;
  options.mean = std::move(mean);
  options.std = std::move(std);
  return options;
}

TEST(Dataset, KeepsFileOrderWhenAllSamplesAreTaken) {
  const Dataset dataset = Dataset::FromTensors({Numbers(5)}, at::arange(5));
  EXPECT_EQ(dataset.size(), 5);
  EXPECT_EQ(dataset.sha256(), "");
  EXPECT_THAT(Values(dataset.Get(1, 4).inputs[0]), ElementsAre(1, 2, 3));
  EXPECT_THAT(Values(dataset.Get(1, 4).labels), ElementsAre(1, 2, 3));
}

TEST(Dataset, DrawsAllInputsAndLabelsAlike) {
  DataOptions options;
  options.samples = 7;
  options.seed = 12;
  const Dataset dataset = Dataset::FromTensors({Numbers(100), at::arange(100).mul(2)}, at::arange(100), options);
  std::vector<double> order, doubled;
  for (const std::int64_t sample : data::DrawSamples(100, 7, 12)) {
    order.push_back(static_cast<double>(sample));
    doubled.push_back(2 * order.back());
  }
  const Batch batch = dataset.Get(0, 7);
  EXPECT_EQ(dataset.size(), 7);
  EXPECT_EQ(Values(batch.inputs[0]), order);
  EXPECT_EQ(Values(batch.inputs[1]), doubled);
  EXPECT_EQ(Values(batch.labels), order);
}

TEST(Dataset, TakesFewerSamplesOnlyWhereAllowed) {
  DataOptions options;
  options.samples = 600;
  EXPECT_EQ(MessageOfTensors({Numbers(512)}, {}, options),
            "data in memory: 600 samples were asked for, and it has 512");
  options.fewer_allowed = true;
  const Dataset dataset = Dataset::FromTensors({Numbers(512)}, {}, options);
  EXPECT_EQ(dataset.size(), 512);
  EXPECT_EQ(dataset.Get(0, 512).inputs[0].sum().item<double>(), 512 * 511 / 2);
}

TEST(Dataset, HasNoLabelsWhenNoneAreGiven) {
  const Dataset dataset = Dataset::FromTensors({Numbers(3)}, {});
  EXPECT_FALSE(dataset.has_labels());
  EXPECT_FALSE(dataset.Get(0, 1).labels.defined());
}

TEST(Dataset, GivesCopiesThatANetworkMayWriteInto) {
  const Dataset dataset = Dataset::FromTensors({Numbers(3), at::arange(3)}, at::arange(3));
  Batch batch = dataset.Get(0, 3);
  batch.inputs[0].zero_();
  batch.inputs[1].zero_();
  batch.labels.zero_();
  EXPECT_THAT(Values(dataset.Get(0, 3).inputs[0]), ElementsAre(0, 1, 2));
  EXPECT_THAT(Values(dataset.Get(0, 3).inputs[1]), ElementsAre(0, 1, 2));
  EXPECT_THAT(Values(dataset.Get(0, 3).labels), ElementsAre(0, 1, 2));
}

TEST(Dataset, RefusesSamplesBeyondItsEnd) {
  const Dataset dataset = Dataset::FromTensors({Numbers(3)}, {});
  for (const auto& [begin, end] :
       {std::pair(-1, 2), std::pair(0, 4), std::pair(2, 2), std::pair(3, 4), std::pair(2, 1)}) {
    EXPECT_THAT(ErrorMessage([&, from = begin, to = end] { dataset.Get(from, to); }), HasSubstr("not within its 3"));
  }
}

TEST(Dataset, FirstIsAPrefix) {
  const Dataset dataset = Dataset::FromTensors({Numbers(5)}, at::arange(5), Normalization({1}, {2}));
  const Dataset first = dataset.First(2);
  EXPECT_EQ(first.size(), 2);
  EXPECT_EQ(Values(first.Get(0, 2).inputs[0]), Values(dataset.Get(0, 2).inputs[0]));
  EXPECT_THAT(Values(first.Get(0, 2).labels), ElementsAre(0, 1));
  EXPECT_EQ(dataset.First(9).size(), 5);
  EXPECT_THAT(ErrorMessage([&] { dataset.First(0); }), HasSubstr("must be 1 or more"));
}

TEST(Dataset, FromIsWhatFirstLeaves) {
  const Dataset dataset = Dataset::FromTensors({Numbers(5)}, at::arange(5), Normalization({1}, {2}));
  const Dataset rest = dataset.From(2);
  EXPECT_EQ(rest.size(), 3);
  EXPECT_EQ(Values(rest.Get(0, 3).inputs[0]), Values(dataset.Get(2, 5).inputs[0]));
  EXPECT_THAT(Values(rest.Get(0, 3).labels), ElementsAre(2, 3, 4));
  for (const std::int64_t bad : {-1, 5})
    EXPECT_THAT(ErrorMessage([&] { dataset.From(bad); }), HasSubstr("there are 5"));
}

TEST(Normalization, AppliesToScaledPixelsByChannel) {
  const at::Tensor pixels = at::tensor({0, 51, 255, 102}, at::kByte).reshape({1, 2, 1, 2});
  const Dataset dataset = Dataset::FromTensors({pixels}, {}, Normalization({0.5, 0.25}, {0.5, 0.125}));
  const std::vector<double> values = Values(dataset.Get(0, 1).inputs[0]);
  ASSERT_EQ(values.size(), 4u);
  EXPECT_NEAR(values[0], -1, 1e-6);
  EXPECT_NEAR(values[1], -0.6, 1e-6);
  EXPECT_NEAR(values[2], 6, 1e-6);
  EXPECT_NEAR(values[3], 1.2, 1e-6);
}

TEST(Normalization, TakesFloatsUnscaledAndOneValueForAll) {
  const Dataset dataset = Dataset::FromTensors({Numbers(2)}, {}, Normalization({1}, {4}));
  EXPECT_THAT(Values(dataset.Get(0, 2).inputs[0]), ElementsAre(-0.25, 0));
  EXPECT_THAT(dataset.mean(), ElementsAre(1));
  EXPECT_THAT(dataset.std(), ElementsAre(4));
}

TEST(Normalization, LeavesBytesWithinZeroAndOneByDefault) {
  const Dataset dataset = Dataset::FromTensors({at::tensor({0, 255}, at::kByte)}, {});
  EXPECT_THAT(Values(dataset.Get(0, 2).inputs[0]), ElementsAre(0, 1));
}

TEST(Normalization, RefusesOtherNumbersOfChannels) {
  const at::Tensor images = at::zeros({2, 1, 4, 4});
  EXPECT_THAT(MessageOfTensors({images}, {}, Normalization({0, 0, 0}, {1, 1, 1})),
              AllOf(HasSubstr("input 0: mean and std have 3 values"), HasSubstr("[1, 4, 4]")));
  EXPECT_THAT(MessageOfTensors({at::zeros({3})}, {}, Normalization({0, 0, 0}, {1, 1, 1})), HasSubstr("have 3 values"));
}

TEST(Normalization, RefusesTokenNumbers) {
  EXPECT_THAT(MessageOfTensors({Numbers(2), at::arange(2)}, {}, Normalization({0}, {1})),
              AllOf(HasSubstr("input 1"), HasSubstr("leave mean and std out")));
}

TEST(DataOptions, AreValidated) {
  const auto message = [](const DataOptions& options) { return ErrorMessage([&] { options.Validate(); }); };
  DataOptions negative;
  negative.samples = -3;
  EXPECT_THAT(message(negative), HasSubstr("samples is -3"));
  EXPECT_THAT(message(Normalization({0.5}, {})), HasSubstr("give both or neither"));
  EXPECT_THAT(message(Normalization({0.5, 0.5}, {1, 1, 1})), HasSubstr("one per channel"));
  EXPECT_THAT(message(Normalization({0.5}, {0})), HasSubstr("std 0 is not a positive"));
  EXPECT_THAT(message(Normalization({0.5}, {-1})), HasSubstr("std -1"));
  EXPECT_THAT(message(Normalization({0.5}, {1e-60})), HasSubstr("std 1e-60"));
  EXPECT_THAT(message(Normalization({NAN}, {1})), HasSubstr("mean nan"));
  EXPECT_THAT(message(Normalization({0}, {NAN})), HasSubstr("std nan"));
  EXPECT_THAT(message(Normalization({0}, {INFINITY})), HasSubstr("std inf"));
  Normalization({0.1, 0.2, 0.3}, {1}).Validate();
}

TEST(Samples, HoldingNanOrInfinityAreNamed) {
  at::Tensor values = at::zeros({4, 2, 3});
  values[2][1][0] = std::numeric_limits<float>::quiet_NaN();
  values[3][0][0] = std::numeric_limits<float>::infinity();
  EXPECT_THAT(MessageOfTensors({Numbers(4), values}), HasSubstr("input 1: sample 2, element [1, 0] is NaN"));
  values[2][1][0] = -std::numeric_limits<float>::infinity();
  EXPECT_THAT(MessageOfTensors({values}), HasSubstr("input 0: sample 2, element [1, 0] is infinite"));
  EXPECT_THAT(MessageOfTensors({at::full({2}, 1e39, at::kDouble)}), HasSubstr("sample 0 is infinite"));
}

TEST(Samples, OfUnequalCountsAreRefused) {
  EXPECT_THAT(MessageOfTensors({Numbers(3), Numbers(4)}), HasSubstr("input 1: 4 samples, but input 0 has 3"));
  EXPECT_THAT(MessageOfTensors({Numbers(3)}, at::arange(2)),
              HasSubstr("labels: 2 labels for the 3 samples of input 0"));
}

TEST(Samples, ThatCannotBeUsedAreRefused) {
  EXPECT_THAT(MessageOfTensors({}), HasSubstr("there is no input"));
  EXPECT_THAT(MessageOfTensors({at::Tensor()}), HasSubstr("input 0: is an undefined tensor"));
  EXPECT_THAT(MessageOfTensors({at::zeros({})}), HasSubstr("input 0: is a single number"));
  EXPECT_THAT(MessageOfTensors({at::zeros({0, 3})}), HasSubstr("shape [0, 3]"));
  EXPECT_THAT(MessageOfTensors({at::zeros({2}, at::kComplexFloat)}), HasSubstr("complex"));
  EXPECT_THAT(MessageOfTensors({at::zeros({2}, at::kChar)}), HasSubstr("int8"));
  EXPECT_THAT(MessageOfTensors({at::zeros({1}).expand({std::int64_t{1} << 60})}),
              HasSubstr("does not fit into memory"));
}

TEST(Labels, AreIntegersOrFloats) {
  const auto labels = [](const at::Tensor& given) { return Dataset::FromTensors({Numbers(3)}, given).labels(); };
  EXPECT_TRUE(labels(at::tensor({4, -1, -2}, at::kInt)).equal(at::tensor({4, -1, -2}, at::kLong)));
  EXPECT_TRUE(labels(at::tensor({1, 0, 1}).to(at::kBool)).equal(at::tensor({1, 0, 1}, at::kLong)));
  EXPECT_TRUE(labels(at::tensor({0.5, 1.0, -2.0}, at::kDouble)).equal(at::tensor({0.5F, 1.0F, -2.0F})));
  EXPECT_EQ(labels(at::tensor({0.5, 1.0, -2.0}).to(at::kHalf)).scalar_type(), at::kFloat);
  EXPECT_THAT(MessageOfTensors({Numbers(1)}, at::tensor({std::nan("")})), HasSubstr("labels: sample 0 is NaN"));
  EXPECT_THAT(MessageOfTensors({Numbers(2)}, at::zeros({2}, at::kComplexFloat)), HasSubstr("complex"));
}

TEST(Labels, ToIgnoreAreMarked) {
  DataOptions options;
  options.ignored_labels = {255, 7};
  const auto labels = [&](const at::Tensor& given) {
    return Dataset::FromTensors({Numbers(4)}, given, options).Get(0, 4).labels;
  };
  EXPECT_TRUE(labels(at::tensor({255, 3, 7, -100}, at::kInt)).equal(at::tensor({-100, 3, -100, -100}, at::kLong)));
  const at::Tensor numbers = labels(at::tensor({255.0, 3.5, 7.0, -100.0}));
  EXPECT_TRUE(numbers.isnan().equal(at::tensor({1, 0, 1, 0}).to(at::kBool)));
}

TEST(Labels, OfYesAndNoAreIgnoredInFloatsAsInIntegers) {
  const auto ignored = [&](const at::Tensor& given) {
    return Dataset::FromTensors({Numbers(2)}, given).Get(0, 2).labels.isnan();
  };
  const at::Tensor yes_and_no = at::tensor({0.0, 1.0, -100.0, 1.0}).view({2, 2});
  EXPECT_TRUE(ignored(yes_and_no).equal(yes_and_no.eq(-100)));
  EXPECT_TRUE(ignored(yes_and_no.to(at::kHalf)).equal(yes_and_no.eq(-100)));
  EXPECT_FALSE(ignored(at::tensor({0.5, 1.0, -100.0, 1.0}).view({2, 2})).any().item<bool>());  // a number
}

TEST(Labels, OfOneColumnBecomeAVector) {
  const at::Tensor column = at::tensor({2, 1}, at::kByte).reshape({2, 1});
  EXPECT_EQ(Shape(Dataset::FromTensors({Numbers(2)}, column).Get(0, 2).labels), (std::vector<std::int64_t>{2}));
  const at::Tensor dense = at::zeros({2, 1, 3}, at::kLong);
  EXPECT_EQ(Shape(Dataset::FromTensors({Numbers(2)}, dense).Get(0, 2).labels), (std::vector<std::int64_t>{2, 1, 3}));
}

}  // namespace
}  // namespace bitplan
