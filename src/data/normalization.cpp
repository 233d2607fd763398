#include "normalization.h"

#include <fmt/format.h>

#include <algorithm>

#include "bitplan/error.h"
#include "decode/array.h"

namespace bitplan::data {

void CheckNormalization(const SampleForm& input, const DataOptions& options) {
  const std::size_t values = std::max(options.mean.size(), options.std.size());
  if (values == 0) return;
  if (input.type == at::kLong) {
    throw Error(fmt::format("{}: holds integers wider than 8 bits, which are not normalized; leave mean and std out",
                            input.where));
  }
  if (values == 1) return;
  if (input.shape.empty() || static_cast<std::size_t>(input.shape.front()) != values) {
    throw Error(
        fmt::format("{}: mean and std have {} values for samples of shape {}; give one, or one per channel (the "
                    "first axis of a sample)",
                    input.where, values, decode::ShapeText(input.shape)));
  }
}

}  // namespace bitplan::data
