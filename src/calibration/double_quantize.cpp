#include "calibration/double_quantize.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

#include "calibration/codebook.h"

namespace bitplan::calibration {

DoubleQuantizedScales DoubleQuantize(const std::vector<float>& scales) {
  const Codebook book = CodebookOf(NumberType::E4M3, 8);
  const std::vector<double> boundaries = book.Boundaries<double>();
  DoubleQuantizedScales result;
  result.offset =
      static_cast<float>(std::accumulate(scales.begin(), scales.end(), 0.0) / static_cast<double>(scales.size()));
  for (std::size_t begin = 0; begin < scales.size(); begin += DoubleQuantizedScales::kBlock) {
    const std::size_t end = std::min(begin + DoubleQuantizedScales::kBlock, scales.size());
    float largest = 0;
    for (std::size_t i = begin; i < end; ++i) largest = std::max(largest, std::abs(scales[i] - result.offset));
    const float block_scale = largest > 0 ? static_cast<float>(largest / book.levels.back()) : 1.0F;
    result.block_scales.push_back(block_scale);
    const auto value = [&](std::size_t level) {
      return result.offset + block_scale * static_cast<float>(book.levels[level]);
    };
    for (std::size_t i = begin; i < end; ++i) {
      const double ratio = (static_cast<double>(scales[i]) - result.offset) / block_scale;
      auto level =
          static_cast<std::size_t>(std::lower_bound(boundaries.begin(), boundaries.end(), ratio) - boundaries.begin());
      while (!(value(level) > 0)) ++level;  // the offset itself is above 0
      result.codes.push_back(book.codes[level]);
      result.scales.push_back(value(level));
    }
  }
  return result;
}

}  // namespace bitplan::calibration
