#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace bitplan::plan {

/// Bytes of a NumPy array file, format version 1.0, row-major, in little-endian byte order.
/// Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
std::string NpyText(const std::vector<std::size_t>& shape, const std::vector<float>& numbers);
std::string NpyText(const std::vector<std::size_t>& shape, const std::vector<double>& numbers);

}  // namespace bitplan::plan
