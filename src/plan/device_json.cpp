#include <fmt/format.h>

#include <charconv>

#include "bitplan/energy.h"
#include "bitplan/error.h"
#include "bitplan/roofline.h"
#include "plan/json_reader.h"
#include "plan/shipped_files.h"
#include "shipped_devices.h"

namespace bitplan {

EnergyModel ReadEnergyModel(const std::filesystem::path& file) {
  plan::JsonReader reader = plan::JsonReader::Open(file, "bitplan.energy/1");
  EnergyModel model;
  model.source = reader.String("source");
  model.int8_multiply_pj = reader.Number("int8_multiply_pj", 0);
  model.int32_add_pj = reader.Number("int32_add_pj", 0);
  model.float16_mac_pj = reader.Number("float16_mac_pj", 0);
  model.float32_mac_pj = reader.Number("float32_mac_pj", 0);
  model.weight_byte_pj = reader.Number("weight_byte_pj", 0);
  model.activation_byte_pj = reader.Number("activation_byte_pj", 0);
  reader.Finish();
  return model;
}

std::vector<std::string> DeviceNames() { return plan::NamesOf(plan::ShippedDevices()); }

Roofline ReadRoofline(const std::string& name_or_file) {
  plan::JsonReader reader = plan::OpenShipped(plan::ShippedDevices(), "device", name_or_file, "bitplan.roofline/1");
  Roofline device;
  device.source = reader.String("source");
  for (const auto& [width, rate] : reader.NumberMap("macs_per_second")) {
    int bits = 0;
    const auto [end, status] = std::from_chars(width.data(), width.data() + width.size(), bits);
    if (status != std::errc() || end != width.data() + width.size())
      reader.Fail("macs_per_second", "widths as keys, \"8\" for one");
    device.macs_per_second[bits] = rate;
  }
  device.bytes_per_second = reader.Number("bytes_per_second", 0);
  device.seconds_per_layer = reader.Number("seconds_per_layer", 0);
  reader.Finish();
  try {
    device.Validate();
  } catch (const Error& error) {
    reader.Reject(error.what());
  }
  return device;
}

}  // namespace bitplan
