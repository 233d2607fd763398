#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace bitplan {

/// A binary portable pixmap (P6) as Pillow writes it.
struct Ppm {
  std::int64_t width = 0, height = 0;
  std::vector<std::uint8_t> rgb;  ///< [height, width, 3]
};

inline Ppm ReadPpm(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string magic;
  int most = 0;
  Ppm ppm;
  in >> magic >> ppm.width >> ppm.height >> most;
  in.get();
  ppm.rgb.assign(std::istreambuf_iterator<char>(in), {});
  return ppm;
}

/// The largest difference of two bytes at the same place; 256 where there are not as many.
inline int LargestStep(const std::vector<std::uint8_t>& a, const std::uint8_t* b, std::size_t count) {
  if (a.size() != count) return 256;
  int largest = 0;
  for (std::size_t i = 0; i < count; ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

}  // namespace bitplan
