#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "bitplan/energy.h"
#include "bitplan/roofline.h"
#include "cost/error_message.h"

namespace bitplan::cost {
namespace {

const std::vector<LayerWork> kLayers = {{"conv", 1000, 10, 101, 50}, {"linear", 40, 40, 4, 10}};

// By hand, from the figure in Horowitz (ISSCC 2014): int8 multiply 0.2 pJ, int32 add 0.1, float32 3.7 + 0.9,
// float16 1.1 + 0.4; DRAM 1.3 nJ and a 1 MB SRAM 100 pJ for 8 bytes.
TEST(Energy, IsThatOfTheOperationsAndTheBytesMoved) {
  const CostTable table = Energy(kLayers, EnergyModel(), {3, 8, 32}, {4, 8, 16, 32});
  EXPECT_EQ(table.cost, "energy_uj");
  const double dram = 1300.0 / 8, sram = 100.0 / 8;
  EXPECT_NEAR(*table.At(0, 8, 8), 1e-6 * (1000 * 0.3 + 10 * dram + (101 + 50) * sram), 1e-15);
  EXPECT_NEAR(*table.At(0, 32, 32), 1e-6 * (1000 * 4.6 + 40 * dram + (404 + 200) * sram), 1e-15);
  EXPECT_NEAR(*table.At(0, 8, 16), 1e-6 * (1000 * 1.5 + 10 * dram + (202 + 100) * sram), 1e-15);
  // 3 × 4 bits of an 8 × 8 multiplier; 30 bits are 4 bytes, 404 bits 51.
  EXPECT_NEAR(*table.At(0, 3, 4), 1e-6 * (1000 * (0.2 * 12 / 64 + 0.1) + 4 * dram + (51 + 25) * sram), 1e-15);
  EXPECT_NEAR(*table.At(1, 32, 4), 1e-6 * (40 * 4.6 + 160 * dram + (2 + 5) * sram), 1e-15);
}

TEST(Energy, FollowsTheGivenModel) {
  EnergyModel model;
  model.int8_multiply_pj = 64;
  model.int32_add_pj = 1;
  model.weight_byte_pj = 0;
  model.activation_byte_pj = 0;
  EXPECT_NEAR(*Energy(kLayers, model, {2}, {8}).At(0, 2, 8), 1e-6 * 1000 * 17, 1e-12);
}

TEST(RooflineLatency, IsTheLargerOfComputingAndMoving) {
  const Roofline device{"test", {{4, 4e6}, {8, 2e6}, {32, 1e6}}, 1e6, 0.001};
  const CostTable table = RooflineLatency(kLayers, device, {2, 8, 16, 32}, {4, 8, 32});
  EXPECT_EQ(table.cost, "latency_ms");
  EXPECT_NEAR(*table.At(0, 32, 32), 1e3 * (1000 / 1e6 + 0.001), 1e-12);             // computes: 644 bytes take less
  EXPECT_NEAR(*table.At(0, 8, 8), 1e3 * (1000 / 2e6 + 0.001), 1e-12);               // computes: 161 bytes take less
  EXPECT_NEAR(*table.At(0, 2, 4), 1e3 * (1000 / 4e6 + 0.001), 1e-12);               // at 4 bits, the wider one
  EXPECT_NEAR(*table.At(0, 16, 8), 1e3 * (1000 / 1e6 + 0.001), 1e-12);              // at the next width there is
  EXPECT_NEAR(*table.At(1, 32, 32), 1e3 * ((160 + 16 + 40) / 1e6 + 0.001), 1e-12);  // moves
  EXPECT_NEAR(*table.At(1, 2, 4), 1e3 * ((10 + 2 + 5) / 1e6 + 0.001), 1e-12);
}

TEST(RooflineLatency, RefusesWidthsAboveTheDevicesAndRatesThatAreNone) {
  const Roofline eight{"test", {{8, 2e6}}, 1e6, 0};
  EXPECT_THAT([&] { RooflineLatency(kLayers, eight, {8}, {32}); }, OneLineError("test", "at most 8 bits", "32"));
  for (const double wrong :
       {0.0, -1.0, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    EXPECT_THAT([&] { (Roofline{"test", {{8, wrong}}, 1e6, 0}.Validate()); },
                OneLineError("macs_per_second", "8 bits"));
    EXPECT_THAT([&] { (Roofline{"test", {{8, 1}}, wrong, 0}.Validate()); }, OneLineError("bytes_per_second"));
    if (wrong == 0) continue;
    EXPECT_THAT([&] { (Roofline{"test", {{8, 1}}, 1, wrong}.Validate()); }, OneLineError("seconds_per_layer"));
  }
  EXPECT_THAT([&] { (Roofline{"test", {}, 1, 0}.Validate()); }, OneLineError("macs_per_second is empty"));
  EXPECT_THAT([&] { (Roofline{"test", {{64, 1}}, 1, 0}.Validate()); }, OneLineError("64 bits"));
}

}  // namespace
}  // namespace bitplan::cost
