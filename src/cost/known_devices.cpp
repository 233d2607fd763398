#include "bitplan/roofline.h"

namespace bitplan {

// Peaks as the makers publish them, dense, a multiply-accumulate counted as two operations there. The time to start a
// layer is that of a kernel launch, 5 µs, on all of them.
const std::map<std::string, Roofline, std::less<>>& KnownDevices() {
  static const std::map<std::string, Roofline, std::less<>> devices = {
      {"nvidia-t4",
       {"NVIDIA T4 datasheet, 2019: 8.1 TFLOPS float32, 65 float16, 130 TOPS int8, 260 int4, 320 GB/s",
        {{4, 130e12}, {8, 65e12}, {16, 32.5e12}, {32, 4.05e12}},
        320e9,
        5e-6}},
      {"nvidia-a100-40gb",
       {"NVIDIA A100 whitepaper, 2020: 19.5 TFLOPS float32, 312 float16, 624 TOPS int8, 1248 int4, 1555 GB/s",
        {{4, 624e12}, {8, 312e12}, {16, 156e12}, {32, 9.75e12}},
        1555e9,
        5e-6}},
      {"nvidia-h100-sxm",
       {"NVIDIA H100 datasheet, 2023: 67 TFLOPS float32, 989.5 float16, 1979 TOPS int8, 3350 GB/s",
        {{8, 989.5e12}, {16, 494.75e12}, {32, 33.5e12}},
        3350e9,
        5e-6}}};
  return devices;
}

}  // namespace bitplan
