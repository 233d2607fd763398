#include "augment.h"

#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <set>

namespace bitplan::train {
namespace {

TrainOptions Options(std::int64_t padding, bool flip) {
  TrainOptions options;
  options.crop_padding = padding;
  options.flip = flip;
  return options;
}

/// Every pixel has a value of its own, above 0.
at::Tensor Images(std::int64_t count) {
  return torch::arange(1, count * 2 * 4 * 5 + 1).to(torch::kFloat).view({count, 2, 4, 5});
}

at::Tensor Augmented(const at::Tensor& images, const TrainOptions& options, std::uint64_t seed) {
  return Augment(images, options, torch::tensor({-1.0F, -2.0F}), at::make_generator<at::CPUGeneratorImpl>(seed));
}

/// The image that lies (`down`, `right`) into the padded one, by its definition.
at::Tensor Cut(const at::Tensor& image, std::int64_t padding, std::int64_t down, std::int64_t right, bool mirrored) {
  at::Tensor cut = torch::empty_like(image);
  for (std::int64_t c = 0; c < 2; ++c)
    for (std::int64_t y = 0; y < 4; ++y)
      for (std::int64_t x = 0; x < 5; ++x) {
        const std::int64_t row = y + down - padding, column = (mirrored ? 4 - x : x) + right - padding;
        const bool inside = row >= 0 && row < 4 && column >= 0 && column < 5;
        cut[c][y][x] = inside ? image[c][row][column] : torch::tensor(c == 0 ? -1.0F : -2.0F);
      }
  return cut;
}

TEST(Augment, CutsEveryImageOutOfItselfWithBlackAround) {
  const at::Tensor images = Images(40), result = Augmented(images, Options(1, true), 3);
  std::set<std::tuple<std::int64_t, std::int64_t, bool>> seen;
  for (std::int64_t i = 0; i < images.size(0); ++i) {
    int found = 0;
    for (std::int64_t down = 0; down < 3; ++down)
      for (std::int64_t right = 0; right < 3; ++right)
        for (const bool mirrored : {false, true})
          if (result[i].equal(Cut(images[i], 1, down, right, mirrored))) {
            ++found;
            seen.emplace(down, right, mirrored);
          }
    EXPECT_EQ(found, 1) << "image " << i;
  }
  EXPECT_GT(seen.size(), 10);  // of 18
}

TEST(Augment, LeavesImagesAloneWithoutPaddingAndFlip) {
  const at::Tensor images = Images(3);
  EXPECT_TRUE(Augmented(images, Options(0, false), 0).equal(images));
}

TEST(Augment, KeepsTheLayout) {
  const at::Tensor images = Images(3).contiguous(at::MemoryFormat::ChannelsLast);
  EXPECT_EQ(Augmented(images, Options(2, true), 0).strides(), images.strides());
}

TEST(Augment, DrawsBySeed) {
  const at::Tensor images = Images(20);
  const TrainOptions options = Options(2, true);
  EXPECT_TRUE(Augmented(images, options, 1).equal(Augmented(images, options, 1)));
  EXPECT_FALSE(Augmented(images, options, 1).equal(Augmented(images, options, 2)));
}

TEST(BlackPixel, IsWhatNormalizationMakesOfZero) {
  DataOptions options;
  options.mean = {0.5, 0.25};
  options.std = {0.5, 0.1};
  const Dataset data = Dataset::FromTensors({torch::zeros({2, 2, 3, 3}, torch::kByte)}, {}, options);
  EXPECT_TRUE(BlackPixel(data, 2).allclose(data.Get(0, 1).inputs[0][0].select(1, 0).select(1, 0)));
}

}  // namespace
}  // namespace bitplan::train
