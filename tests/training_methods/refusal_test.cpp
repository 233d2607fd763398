// What the methods refuse.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <limits>

#include "message_of.h"
#include "training_methods/formats.h"
#include "training_methods/trained_quantizer.h"

namespace bitplan::training_methods {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string WeightMessage(TrainingMethod method, const Format& format) {
  return MessageOf([&] { MakeWeightQuantizer(method, format, 0, {}); });
}

std::string InputMessage(TrainingMethod method, const Format& format) {
  return MessageOf([&] { MakeInputQuantizer(method, format); });
}

TEST(Methods, RefuseFormatsThatTheyCannotTrainAndSayWhatWouldBeRight) {
  EXPECT_THAT(WeightMessage(TrainingMethod::Ttq, WeightFormat(8)),
              AllOf(HasSubstr("ttq"), HasSubstr("integer"), HasSubstr("expected ternary")));
  EXPECT_THAT(WeightMessage(TrainingMethod::Bwn, WeightFormat(2)),
              AllOf(HasSubstr("bwn"), HasSubstr("expected binary")));
  EXPECT_THAT(WeightMessage(TrainingMethod::Lsq, WeightFormat(2, Granularity::Tensor, NumberType::Ternary)),
              AllOf(HasSubstr("lsq"), HasSubstr("ternary"), HasSubstr("expected integer")));
  EXPECT_THAT(WeightMessage(TrainingMethod::Lsq, WeightFormat(1)), AllOf(HasSubstr("1 bit"), HasSubstr("2 or more")));
  Format groups = WeightFormat(4, Granularity::Group);
  groups.group_size = 16;
  EXPECT_THAT(WeightMessage(TrainingMethod::Qil, groups),
              AllOf(HasSubstr("group"), HasSubstr("expected tensor or channel")));
  Format powers = WeightFormat(4);
  powers.scale_type = ScaleType::PowerOfTwo;
  EXPECT_THAT(WeightMessage(TrainingMethod::Lsq, powers),
              AllOf(HasSubstr("power-of-two"), HasSubstr("expected float32")));
  EXPECT_THAT(InputMessage(TrainingMethod::BinaryConnect, InputFormat(1)),
              AllOf(HasSubstr("quantizes weights"), HasSubstr("lsq")));
  EXPECT_THAT(InputMessage(TrainingMethod::XnorNet, InputFormat(4)),
              AllOf(HasSubstr("bits: 4"), HasSubstr("expected 1")));
  Format dynamic = InputFormat(8);
  dynamic.calibrator = Calibrator::Dynamic;
  EXPECT_THAT(InputMessage(TrainingMethod::Pact, dynamic), AllOf(HasSubstr("dynamic"), HasSubstr("fixed")));
  EXPECT_EQ(InputMessage(TrainingMethod::Fixed, dynamic), "no error");
}

TEST(Methods, RefuseFirstValuesThatAreNoneOrNotFinite) {
  for (int i = 0; i <= static_cast<int>(TrainingMethod::Ttq); ++i) {
    const auto method = static_cast<TrainingMethod>(i);
    const at::Tensor bad = torch::tensor({1.0F, std::numeric_limits<float>::infinity()}).view({1, 2});
    for (const Format& format : {WeightFormat(3), WeightFormat(1, Granularity::Tensor, NumberType::Binary),
                                 WeightFormat(2, Granularity::Tensor, NumberType::Ternary)}) {
      if (!SuitsWeights(method, format)) continue;
      EXPECT_NE(MessageOf([&] { MakeWeightQuantizer(method, format, 0, {})->Finish(); }), "no error")
          << ToString(method);
      EXPECT_NE(MessageOf([&] { MakeWeightQuantizer(method, format, 0, {})->Initialize(bad); }), "no error")
          << ToString(method);
    }
    for (const Format& format : {InputFormat(3), InputFormat(1)}) {
      if (!SuitsInputs(method, format)) continue;
      EXPECT_NE(MessageOf([&] { MakeInputQuantizer(method, format)->Finish(); }), "no error") << ToString(method);
      EXPECT_NE(MessageOf([&] { MakeInputQuantizer(method, format)->Initialize(bad); }), "no error")
          << ToString(method);
    }
  }
}

TEST(Methods, PactChannelRefusesInputsWithoutTheSameChannels) {
  const auto pact = MakeInputQuantizer(TrainingMethod::PactChannel, InputFormat(4));
  EXPECT_THAT(MessageOf([&] { pact->Initialize(torch::ones({3})); }), HasSubstr("axis 1"));
  pact->Initialize(torch::ones({3, 4}));
  EXPECT_THAT(MessageOf([&] { pact->Initialize(torch::ones({3, 5})); }), HasSubstr("5 channels"));
}

TEST(Methods, HaveNames) {
  for (int i = 0; i <= static_cast<int>(TrainingMethod::Ttq); ++i) {
    const auto method = static_cast<TrainingMethod>(i);
    EXPECT_EQ(ParseTrainingMethod(ToString(method)), method);
  }
  EXPECT_THAT(MessageOf([] { ParseTrainingMethod("sgd"); }), AllOf(HasSubstr("'sgd'"), HasSubstr("lsq-plus")));
}

}  // namespace
}  // namespace bitplan::training_methods
