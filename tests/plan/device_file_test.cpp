#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bitplan/energy.h"
#include "bitplan/roofline.h"
#include "cost/error_message.h"
#include "files/temporary_folder.h"

namespace bitplan::plan {
namespace {

const nlohmann::json kEnergy = {
    {"schema", "bitplan.energy/1"}, {"source", "a paper"}, {"int8_multiply_pj", 1}, {"int32_add_pj", 2},
    {"float16_mac_pj", 3},          {"float32_mac_pj", 4}, {"weight_byte_pj", 5},   {"activation_byte_pj", 6.5}};
const nlohmann::json kRoofline = {{"schema", "bitplan.roofline/1"},
                                  {"source", "a datasheet"},
                                  {"macs_per_second", {{"8", 2e12}, {"32", 1e11}}},
                                  {"bytes_per_second", 3e11},
                                  {"seconds_per_layer", 1e-5}};

class DeviceFile : public ::testing::Test {
 protected:
  std::filesystem::path Put(nlohmann::json json, const std::string& pointer, const nlohmann::json& value) const {
    json[nlohmann::json::json_pointer(pointer)] = value;
    return folder.Put("device.json", json.dump());
  }
  auto ReadingEnergy(const std::string& pointer, const nlohmann::json& value) const {
    return [file = Put(kEnergy, pointer, value)] { ReadEnergyModel(file); };
  }
  auto ReadingRoofline(const std::string& pointer, const nlohmann::json& value) const {
    return [file = Put(kRoofline, pointer, value)] { ReadRoofline(file); };
  }

  const TemporaryFolder folder;
};

TEST_F(DeviceFile, OfEnergiesIsReadWhole) {
  const EnergyModel model = ReadEnergyModel(folder.Put("device.json", kEnergy.dump()));
  EXPECT_EQ(model.source, "a paper");
  EXPECT_EQ(model.int8_multiply_pj, 1);
  EXPECT_EQ(model.int32_add_pj, 2);
  EXPECT_EQ(model.float16_mac_pj, 3);
  EXPECT_EQ(model.float32_mac_pj, 4);
  EXPECT_EQ(model.weight_byte_pj, 5);
  EXPECT_EQ(model.activation_byte_pj, 6.5);
}

TEST_F(DeviceFile, OfARooflineIsReadWhole) {
  const Roofline device = ReadRoofline(folder.Put("device.json", kRoofline.dump()));
  EXPECT_EQ(device.source, "a datasheet");
  EXPECT_EQ(device.macs_per_second, (std::map<int, double>{{8, 2e12}, {32, 1e11}}));
  EXPECT_EQ(device.bytes_per_second, 3e11);
  EXPECT_EQ(device.seconds_per_layer, 1e-5);
}

TEST_F(DeviceFile, SaysWhatIsWrongAndWhere) {
  EXPECT_THAT(ReadingEnergy("/int32_add_pj", -1), OneLineError("device.json", "int32_add_pj", "at least 0"));
  EXPECT_THAT(ReadingEnergy("/int32_add_pj", nullptr), OneLineError("device.json", "int32_add_pj", "number"));
  EXPECT_THAT(ReadingEnergy("/sram_pj", 1), OneLineError("device.json", "unknown key", "sram_pj"));
  EXPECT_THAT(ReadingEnergy("/schema", "bitplan.roofline/1"), OneLineError("device.json", "bitplan.energy/1"));
  EXPECT_THAT(ReadingRoofline("/macs_per_second/eight", 1),
              OneLineError("device.json", "macs_per_second", "widths as keys"));
  EXPECT_THAT(ReadingRoofline("/macs_per_second/64", 1), OneLineError("device.json", "64 bits"));
  EXPECT_THAT(ReadingRoofline("/macs_per_second/8", 0), OneLineError("device.json", "macs_per_second"));
  EXPECT_THAT(ReadingRoofline("/macs_per_second", nlohmann::json::object()), OneLineError("device.json", "empty"));
  EXPECT_THAT(ReadingRoofline("/bytes_per_second", -5), OneLineError("device.json", "bytes_per_second"));
  EXPECT_THAT(ReadingRoofline("/seconds_per_layer", "x"), OneLineError("device.json", "seconds_per_layer"));
}

const std::filesystem::path kDevices = BITPLAN_TEST_DIR "/../devices";

/// The figures that the library had for these before they were files.
const std::map<std::string, Roofline>& Published() {
  static const std::map<std::string, Roofline> devices = {
      {"nvidia-t4", {"", {{4, 130e12}, {8, 65e12}, {16, 32.5e12}, {32, 4.05e12}}, 320e9, 5e-6}},
      {"nvidia-a100-40gb", {"", {{4, 624e12}, {8, 312e12}, {16, 156e12}, {32, 9.75e12}}, 1555e9, 5e-6}},
      {"nvidia-h100-sxm", {"", {{8, 989.5e12}, {16, 494.75e12}, {32, 33.5e12}}, 3350e9, 5e-6}}};
  return devices;
}

TEST(Devices, OfTheLibraryHaveThePublishedFigures) {
  for (const auto& [name, published] : Published()) {
    const Roofline device = ReadRoofline(name);
    EXPECT_EQ(device.macs_per_second, published.macs_per_second) << name;
    EXPECT_EQ(device.bytes_per_second, published.bytes_per_second) << name;
    EXPECT_EQ(device.seconds_per_layer, published.seconds_per_layer) << name;
  }
}

TEST(Devices, OfTheLibraryAreAllThatIsInTheFolderValidAndFasterAtNarrowerWidths) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(kDevices)) files.push_back(entry.path().stem());
  EXPECT_THAT(DeviceNames(), testing::UnorderedElementsAreArray(files));
  for (const std::string& name : DeviceNames()) {
    SCOPED_TRACE(name);
    const Roofline device = ReadRoofline(name);
    EXPECT_FALSE(device.source.empty());
    EXPECT_EQ(ReadRoofline(kDevices / (name + ".json")).source, device.source);
    double before = std::numeric_limits<double>::infinity();
    for (const auto& [bits, rate] : device.macs_per_second) {
      EXPECT_LT(rate, before);
      before = rate;
    }
  }
}

TEST(Devices, ThatAreNeitherKnownNorAFileAreRefusedWithTheNames) {
  EXPECT_THAT([] { ReadRoofline("toaster"); }, OneLineError("toaster", "nvidia-t4", "raspberry-pi-5"));
}

}  // namespace
}  // namespace bitplan::plan
