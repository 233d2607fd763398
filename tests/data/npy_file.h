#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdint>
#include <string>
#include <vector>

namespace bitplan::test {

/// A NumPy file of float32, version 1.0, by its description and with nothing of the code that writes such files.
inline std::string NpyOfFloats(const std::vector<std::int64_t>& shape, const std::vector<float>& numbers) {
  std::string header =
      fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({},), }}", fmt::join(shape, ", "));
  header.resize((header.size() + 10) / 64 * 64 + 64 - 10 - 1, ' ');
  header += '\n';
  std::string text("\x93NUMPY\x01\x00", 8);
  text += std::string{static_cast<char>(header.size() & 255), static_cast<char>(header.size() >> 8)} + header;
  text.append(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(float));
  return text;
}

}  // namespace bitplan::test
