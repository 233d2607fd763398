#include "calibration/distribution.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "bitplan/error.h"
#include "calibration/sample_values.h"

namespace bitplan::calibration {
namespace {

TEST(Distribution, HoldsEachValueOnceInAscendingOrder) {
  for (const std::size_t count : {1, 7, 511, 512, 5000}) {
    std::vector<float> values = NormalValues(count, 1);
    values[count / 2] = -0.0F;
    values[count / 3] = std::numeric_limits<float>::denorm_min();
    values[0] = -std::numeric_limits<float>::max();
    const Distribution distribution = DistributionOf(values);
    std::sort(values.begin(), values.end());
    EXPECT_EQ(distribution.values, std::vector<double>(values.begin(), values.end()));
    EXPECT_EQ(distribution.counts, std::vector<double>(count, 1));
    EXPECT_EQ(distribution.min, values.front());
    EXPECT_EQ(distribution.max, values.back());
  }
}

TEST(Distribution, RefusesWhatIsNotFinite) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    std::vector<float> values = NormalValues(1000, 1);
    values[999] = bad;
    EXPECT_THROW(DistributionOf(values), Error);
  }
  EXPECT_THROW(DistributionOf({}), Error);
}

}  // namespace
}  // namespace bitplan::calibration
