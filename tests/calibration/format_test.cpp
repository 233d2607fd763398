#include "bitplan/format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <vector>

#include "bitplan/error.h"

namespace bitplan::calibration {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

Format With(int bits, Scheme scheme, bool narrow) {
  Format format;
  format.bits = bits;
  format.scheme = scheme;
  format.narrow_range = narrow;
  return format;
}

TEST(Format, HasTheGridsOfTheDesign) {
  EXPECT_EQ(With(2, Scheme::Symmetric, false).QuantMin(), -2);
  EXPECT_EQ(With(2, Scheme::Symmetric, false).QuantMax(), 1);
  EXPECT_EQ(With(8, Scheme::Symmetric, false).QuantMin(), -128);
  EXPECT_EQ(With(8, Scheme::Symmetric, true).QuantMin(), -127);
  EXPECT_EQ(With(8, Scheme::Symmetric, true).QuantMax(), 127);
  EXPECT_EQ(With(2, Scheme::Symmetric, true).QuantMin(), -1);
  EXPECT_EQ(With(5, Scheme::Asymmetric, false).QuantMin(), 0);
  EXPECT_EQ(With(5, Scheme::Asymmetric, false).QuantMax(), 31);
}

TEST(Format, KnowsItsWidths) {
  for (const int bits : {1, 2, 3, 4, 5, 6, 7, 8, 16, 32}) EXPECT_NO_THROW(Format{}.WithBits(bits).Validate()) << bits;
  for (const int bits : {-8, 0, 9, 15, 24, 33, 64})
    EXPECT_THAT(
        [&] { Format{}.WithBits(bits).Validate(); },
        ThrowsMessage<Error>(AllOf(HasSubstr("bits"), HasSubstr(std::to_string(bits)), HasSubstr("1 to 8, 16 or 32"))));
  EXPECT_TRUE(Format{}.WithBits(8).IsInteger());
  EXPECT_FALSE(Format{}.WithBits(16).IsInteger());
}

/// What the docstring of NumberType says of each.
struct TypeFacts {
  NumberType type;
  std::vector<int> widths;
  bool has_scale;
};

const std::vector<TypeFacts> kFacts = {{NumberType::Integer, {1, 2, 3, 4, 5, 6, 7, 8, 16}, true},
                                       {NumberType::Binary, {1}, true},
                                       {NumberType::Ternary, {2}, true},
                                       {NumberType::PowerOfTwo, {2, 3, 4, 5, 6, 7, 8}, true},
                                       {NumberType::E4M3, {8}, true},
                                       {NumberType::E5M2, {8}, true},
                                       {NumberType::E2M1, {4}, true},
                                       {NumberType::Nf4, {4}, true},
                                       {NumberType::Float16, {16}, false},
                                       {NumberType::BFloat16, {16}, false},
                                       {NumberType::Float32, {32}, false}};

TEST(Format, OfEveryTypeHasItsWidthsAndScales) {
  for (const TypeFacts& facts : kFacts) {
    SCOPED_TRACE(ToString(facts.type));
    Format format;
    format.type = facts.type;
    if (facts.type == NumberType::PowerOfTwo) format.scale_type = ScaleType::PowerOfTwo;
    EXPECT_EQ(format.HasScale(), facts.has_scale);
    EXPECT_EQ(OnlyWidth(facts.type), facts.widths.size() == 1 ? facts.widths[0] : 0);
    for (int bits = -1; bits <= 64; ++bits) {
      format.bits = bits;
      const bool has = std::find(facts.widths.begin(), facts.widths.end(), bits) != facts.widths.end();
      if (has) {
        EXPECT_NO_THROW(format.Validate()) << bits;
      } else {
        EXPECT_THROW(format.Validate(), Error) << bits;
      }
    }
  }
}

TEST(Format, OfATypeThatWasForgottenIsABug) {
  for (const int value : {-1, static_cast<int>(kFacts.size()), 100}) {
    Format format;
    format.type = static_cast<NumberType>(value);
    EXPECT_THROW(static_cast<void>(format.HasScale()), std::logic_error) << value;
    EXPECT_THROW(OnlyWidth(format.type), std::logic_error) << value;
    EXPECT_THROW(format.Validate(), std::logic_error) << value;
  }
}

TEST(Format, SaysWhichWidthsItCanBeGiven) {
  const auto widths = [](const Format& format) {
    std::vector<int> has;
    for (int bits = -1; bits <= 64; ++bits)
      if (format.HasWidth(bits)) has.push_back(bits);
    return has;
  };
  EXPECT_EQ(widths({}), std::vector<int>(kAllWidths.begin(), kAllWidths.end()));
  EXPECT_EQ(widths({.bits = 4, .type = NumberType::Nf4}), (std::vector{4, 16, 32}));
  EXPECT_EQ(widths({.bits = 1, .type = NumberType::Binary}), (std::vector{1, 16, 32}));
  EXPECT_EQ(widths({.narrow_range = true}), (std::vector{2, 3, 4, 5, 6, 7, 8, 16, 32}));
  EXPECT_EQ(widths({.calibrator = Calibrator::Entropy}), std::vector<int>(kAllWidths.begin(), kAllWidths.end()));
}

TEST(Format, RefusesValuesOutsideTheirRange) {
  Format format;
  for (const double bad : {0.0, -1.0, 100.5, std::numeric_limits<double>::quiet_NaN()}) {
    format.percentile = bad;
    EXPECT_THAT([&] { format.Validate(); },
                ThrowsMessage<Error>(AllOf(HasSubstr("percentile"), HasSubstr("(0, 100]"))));
  }
  EXPECT_THAT([] { With(8, Scheme::Asymmetric, true).Validate(); }, ThrowsMessage<Error>(HasSubstr("narrow_range")));
}

TEST(Format, DefaultsAreSymmetricChannelsAndAsymmetricTensors) {
  EXPECT_NO_THROW(DefaultWeightFormat().Validate());
  EXPECT_NO_THROW(DefaultActivationFormat().Validate());
  EXPECT_EQ(DefaultWeightFormat().scheme, Scheme::Symmetric);
  EXPECT_EQ(DefaultWeightFormat().granularity, Granularity::Channel);
  EXPECT_EQ(DefaultActivationFormat().scheme, Scheme::Asymmetric);
  EXPECT_EQ(DefaultActivationFormat().granularity, Granularity::Tensor);
  EXPECT_EQ(DefaultWeightFormat().calibrator, Calibrator::Mse);
}

TEST(Format, NamesAreReadBack) {
  for (const Scheme scheme : {Scheme::Symmetric, Scheme::Asymmetric}) EXPECT_EQ(ParseScheme(ToString(scheme)), scheme);
  for (const Granularity granularity : {Granularity::Tensor, Granularity::Channel})
    EXPECT_EQ(ParseGranularity(ToString(granularity)), granularity);
  for (const Calibrator calibrator : {Calibrator::Max, Calibrator::Percentile, Calibrator::Mse, Calibrator::Entropy})
    EXPECT_EQ(ParseCalibrator(ToString(calibrator)), calibrator);
}

TEST(Format, UnknownNamesGetTheListOfKnownOnes) {
  EXPECT_THAT([] { ParseScheme("Symmetric"); },
              ThrowsMessage<Error>(AllOf(HasSubstr("'Symmetric'"), HasSubstr("symmetric, asymmetric"))));
  EXPECT_THAT([] { ParseGranularity("row"); }, ThrowsMessage<Error>(HasSubstr("tensor, channel")));
  EXPECT_THAT([] { ParseCalibrator(""); }, ThrowsMessage<Error>(HasSubstr("max, percentile, mse, entropy")));
}

}  // namespace
}  // namespace bitplan::calibration
