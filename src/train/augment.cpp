#include "augment.h"

#include <ATen/ATen.h>

#include <utility>

namespace bitplan::train {

at::Tensor BlackPixel(const Dataset& data, std::int64_t channels) {
  if (data.mean().empty()) return at::zeros({channels});
  const at::Tensor mean = at::tensor(data.mean(), at::kFloat), std = at::tensor(data.std(), at::kFloat);
  return (-mean / std).expand({channels}).contiguous();
}

at::Tensor Augment(const at::Tensor& images, const TrainOptions& options, const at::Tensor& black,
                   at::Generator generator) {
  const std::int64_t count = images.size(0), height = images.size(2), width = images.size(3),
                     padding = options.crop_padding;
  const auto draw = [&](std::int64_t below) { return at::randint(below, {count}, generator, at::kLong); };
  const at::Tensor rows = draw(2 * padding + 1), columns = draw(2 * padding + 1), mirrored = draw(2);
  const at::Tensor padded = black.to(images.device())
                                .view({1, -1, 1, 1})
                                .expand({count, images.size(1), height + 2 * padding, width + 2 * padding})
                                .contiguous();
  padded.narrow(2, padding, height).narrow(3, padding, width).copy_(images);
  at::Tensor result = at::empty_like(images);
  const auto number = [](const at::Tensor& numbers, std::int64_t i) {
    return numbers.const_data_ptr<std::int64_t>()[i];
  };
  for (std::int64_t i = 0; i < count; ++i) {
    const at::Tensor cut = padded[i].narrow(1, number(rows, i), height).narrow(2, number(columns, i), width);
    result[i].copy_(options.flip && number(mirrored, i) == 1 ? cut.flip(2) : cut);
  }
  return result;
}

}  // namespace bitplan::train
