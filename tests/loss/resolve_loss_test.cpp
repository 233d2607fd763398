#include <gmock/gmock.h>
#include <torch/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bitplan/loss.h"
#include "message_of.h"

namespace bitplan::loss {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// What an output of some shape, with labels or without, comes to.
struct Case {
  std::vector<std::int64_t> output;
  at::Tensor labels;
  Loss asked, loss;
  OutputKind outputs;
  std::int64_t class_axis = 1;
  bool compares_with_labels = false;
};

at::Tensor Classes(std::vector<std::int64_t> shape) { return torch::zeros(shape, torch::kLong).fill_(2); }
at::Tensor ZeroOne(std::vector<std::int64_t> shape) { return torch::ones(shape, torch::kLong); }
at::Tensor Numbers(std::vector<std::int64_t> shape) { return torch::full(shape, 0.25); }

std::vector<Case> Cases() {
  constexpr auto kClasses = OutputKind::Classes;
  constexpr auto kBinary = OutputKind::Binary;
  constexpr auto kValues = OutputKind::Values;
  const at::Tensor none;
  return {
      {{4, 5}, Classes({4}), Loss::Auto, Loss::CrossEntropy, kClasses, 1, true},
      {{4, 5, 6, 7}, Classes({4, 6, 7}), Loss::Auto, Loss::CrossEntropy, kClasses, 1, true},
      {{4, 6, 7, 5}, Classes({4, 6, 7}), Loss::Auto, Loss::CrossEntropy, kClasses, 3, true},
      {{4, 7, 5}, Classes({4, 7}), Loss::Auto, Loss::CrossEntropy, kClasses, 2, true},
      {{4, 5, 7}, Classes({4, 7}), Loss::Auto, Loss::CrossEntropy, kClasses, 1, true},
      {{4, 7, 7}, Classes({4, 7}), Loss::Auto, Loss::CrossEntropy, kClasses, 2, true},
      {{4}, ZeroOne({4}), Loss::Auto, Loss::BinaryCrossEntropy, kBinary, 1, true},
      {{4, 1}, ZeroOne({4}), Loss::Auto, Loss::BinaryCrossEntropy, kBinary, 1, true},
      {{4, 1}, ZeroOne({4}).to(torch::kFloat), Loss::Auto, Loss::BinaryCrossEntropy, kBinary, 1, true},
      {{4, 6}, ZeroOne({4, 6}), Loss::Auto, Loss::BinaryCrossEntropy, kBinary, 1, true},
      {{4, 1, 6, 7}, ZeroOne({4, 6, 7}), Loss::Auto, Loss::BinaryCrossEntropy, kBinary, 1, true},
      {{4, 1}, Numbers({4}), Loss::Auto, Loss::MeanSquaredError, kValues, 1, true},
      {{4, 3, 6, 7}, Numbers({4, 3, 6, 7}), Loss::Auto, Loss::MeanSquaredError, kValues, 1, true},
      {{4}, Classes({4}), Loss::Auto, Loss::MeanSquaredError, kValues, 1, true},
      {{4, 5}, none, Loss::Auto, Loss::Divergence, kClasses, 1},
      {{4, 7, 5}, none, Loss::Auto, Loss::Divergence, kClasses, 2},
      {{4}, none, Loss::Auto, Loss::MeanSquaredError, kValues},
      {{4, 1}, none, Loss::Auto, Loss::MeanSquaredError, kValues},
      {{4, 1, 9}, none, Loss::Auto, Loss::MeanSquaredError, kValues},
      {{4, 3, 6, 7}, none, Loss::Auto, Loss::MeanSquaredError, kValues},
      {{4, 21, 6, 7}, none, Loss::Auto, Loss::MeanSquaredError, kValues},
      {{4, 21, 6, 7}, none, Loss::Divergence, Loss::Divergence, kClasses, 1},
      {{4, 1, 9}, none, Loss::Divergence, Loss::Divergence, kClasses, 2},
      {{4, 5}, Classes({4}), Loss::Divergence, Loss::Divergence, kClasses, 1},
      {{4, 5}, Classes({4}), Loss::MeanSquaredError, Loss::MeanSquaredError, kClasses, 1},
      {{4, 5}, none, Loss::MeanSquaredError, Loss::MeanSquaredError, kValues},
      {{4, 5}, none, Loss::BinaryCrossEntropy, Loss::BinaryCrossEntropy, kBinary},
      {{4, 5}, Numbers({4, 5}), Loss::BinaryCrossEntropy, Loss::BinaryCrossEntropy, kBinary, 1, true},
      {{4, 1}, none, Loss::LogitShift, Loss::LogitShift, kValues},
      {{4, 5}, none, Loss::LogitShift, Loss::LogitShift, kClasses},
  };
}

TEST(ResolveLoss, GoesByLabelsAndThenByTheOutput) {
  for (const Case& each : Cases()) {
    const Criterion criterion = ResolveLoss(torch::randn(each.output), each.labels, each.asked);
    const std::string what = testing::PrintToString(each.output) + " " + std::string(ToString(each.asked)) + ", " +
                             (each.labels.defined() ? testing::PrintToString(each.labels.sizes().vec()) : "no labels");
    EXPECT_EQ(criterion.loss, each.loss) << what;
    EXPECT_EQ(criterion.outputs, each.outputs) << what;
    EXPECT_EQ(criterion.class_axis, each.class_axis) << what;
    EXPECT_EQ(criterion.ComparesWithLabels(), each.compares_with_labels) << what;
  }
}

TEST(ResolveLoss, TakesTheAxisThatIsAskedFor) {
  const auto axis = [](std::vector<std::int64_t> output, const at::Tensor& labels, std::int64_t asked) {
    return ResolveLoss(torch::randn(output), labels, Loss::Auto, 1, asked).class_axis;
  };
  EXPECT_EQ(axis({4, 7, 7}, Classes({4, 7}), 1), 1);
  EXPECT_EQ(axis({4, 7, 5}, {}, 1), 1);
  EXPECT_EQ(axis({4, 21, 6, 7}, {}, 1), 1);
  EXPECT_EQ(axis({4, 6, 7, 21}, {}, -1), 3);
  EXPECT_EQ(ResolveLoss(torch::randn({4, 21, 6, 7}), {}, Loss::Auto, 1, 1).loss, Loss::Divergence);
  EXPECT_THAT(MessageOf([&] { axis({4, 5}, {}, 2); }), HasSubstr("axes 1 … 1"));
  EXPECT_THAT(MessageOf([&] { axis({4, 5}, {}, 0); }), HasSubstr("class axis 0"));
  EXPECT_THAT(MessageOf([&] { axis({4, 1}, {}, 1); }), HasSubstr("length 1"));
  EXPECT_THAT(MessageOf([&] { axis({4, 7, 5}, Classes({4, 7}), 1); }), HasSubstr("[N, 5]"));
}

TEST(ResolveLoss, SaysWhatItTookWhereThatIsNotPlain) {
  const auto reason = [](std::vector<std::int64_t> output) {
    return ResolveLoss(torch::randn(output), {}, Loss::Auto).reason;
  };
  EXPECT_EQ(reason({4, 5}), "");
  EXPECT_THAT(reason({4, 1}), HasSubstr("one output a sample"));
  EXPECT_THAT(reason({4, 7, 5}), HasSubstr("axis 2"));
  EXPECT_THAT(reason({4, 3, 8, 8}), HasSubstr("map"));
}

TEST(ResolveLoss, NamesEveryAxisThatLabelsFit) {
  const auto reason = [](std::vector<std::int64_t> output, std::vector<std::int64_t> labels) {
    return ResolveLoss(torch::randn(output), Classes(labels), Loss::Auto).reason;
  };
  EXPECT_THAT(reason({4, 5, 5, 5}, {4, 5, 5}),
              AllOf(HasSubstr("along axis 1"), HasSubstr("fit axis 2 and axis 3"), HasSubstr("--class-axis")));
  EXPECT_THAT(reason({4, 5, 5, 6}, {4, 5, 6}), AllOf(HasSubstr("along axis 1"), HasSubstr("fit axis 2 as well")));
  EXPECT_THAT(reason({4, 5, 6, 7}, {4, 6, 7}), Not(HasSubstr("as well")));
}

TEST(ResolveLoss, SaysThatClassNumbersAreIntegers) {
  const auto message = [](std::vector<std::int64_t> output, const at::Tensor& labels) {
    return MessageOf([&] { ResolveLoss(torch::randn(output), labels, Loss::Auto); });
  };
  EXPECT_THAT(message({20, 3}, Classes({20}).to(torch::kFloat)),
              AllOf(HasSubstr("Float"), HasSubstr("class numbers must be integers")));
  EXPECT_THAT(message({20, 3, 6, 7}, Classes({20, 6, 7}).to(torch::kFloat)), HasSubstr("must be integers"));
  EXPECT_THAT(message({20, 3}, Numbers({20, 4})), Not(HasSubstr("must be integers")));
}

TEST(ResolveLoss, RefusesWhatDoesNotFit) {
  const auto message = [](std::vector<std::int64_t> output, const at::Tensor& labels, Loss loss) {
    return MessageOf([&] { ResolveLoss(torch::randn(output), labels, loss); });
  };
  const at::Tensor none;
  EXPECT_THAT(message({2, 3}, torch::tensor({0, 3}, torch::kLong), Loss::Auto),
              AllOf(HasSubstr("label 3 is outside the network's 3 classes"), HasSubstr("--ignore-label")));
  EXPECT_THAT(message({2, 3}, torch::tensor({-1, 0}, torch::kLong), Loss::Auto), HasSubstr("label -1"));
  EXPECT_THAT(message({2, 3}, Classes({4, 4}), Loss::Auto),
              AllOf(HasSubstr("labels of shape [4, 4]"), HasSubstr("[N] for class numbers")));
  EXPECT_THAT(message({2, 3}, none, Loss::CrossEntropy), HasSubstr("no labels"));
  EXPECT_THAT(message({2, 3}, Numbers({2}), Loss::CrossEntropy), HasSubstr("Float"));
  for (const Loss loss : {Loss::CrossEntropy, Loss::Divergence})
    for (const std::vector<std::int64_t>& one : {std::vector<std::int64_t>{2}, {2, 1}})
      EXPECT_THAT(message(one, loss == Loss::CrossEntropy ? Classes({2}) : none, loss), HasSubstr("constant"));
  EXPECT_THAT(message({2, 3}, Classes({2}), Loss::BinaryCrossEntropy), HasSubstr("every element"));
  EXPECT_THAT(message({2, 3}, Classes({2, 3}), Loss::BinaryCrossEntropy), HasSubstr("label 2"));
  EXPECT_THAT(message({2, 3}, torch::full({2}, kIgnoredLabel, torch::kLong), Loss::Auto), HasSubstr("ignored"));
  EXPECT_THAT(MessageOf([] { ResolveLoss(torch::zeros({2, 3}, torch::kLong), {}, Loss::Auto); }),
              HasSubstr("floating-point"));
  EXPECT_THAT(MessageOf([] { ResolveLoss(torch::zeros({2, 3}), {}, Loss::Auto, 0); }), HasSubstr("temperature"));
}

}  // namespace
}  // namespace bitplan::loss
