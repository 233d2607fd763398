#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "bitplan/data.h"
#include "bitplan/train.h"
#include "network/image_layout.h"

namespace bitplan::train {

/// The samples of a run: those trained on and those held out.
class TrainingData {
 public:
  /// Throws Error: too few samples, crops of what are no images.
  TrainingData(const Network& network, const Dataset& data, const TrainOptions& options);

  std::int64_t steps_an_epoch() const { return steps_; }

  /// Samples of the largest batch that there is.
  std::int64_t LargestBatch() const { return std::min(options_.batch_size, std::ssize(trained_)); }

  /// So many of those trained on.
  Batch First(std::int64_t count) const { return Get({trained_.begin(), trained_.begin() + count}); }

  /// A step's batch, augmented: drawn by seed, epoch and step alone.
  Batch Step(std::int64_t epoch, std::int64_t step);

  /// Batches of what is held out, or of the samples that quantizers look at first.
  std::vector<std::vector<std::int64_t>> HeldOut() const;
  std::vector<std::vector<std::int64_t>> Calibration() const;
  Batch Get(const std::vector<std::int64_t>& samples) const;

 private:
  std::vector<std::vector<std::int64_t>> InBatches(const std::vector<std::int64_t>& samples) const;

  const Dataset& data_;
  const TrainOptions& options_;
  at::Device device_;
  network::ImageLayout layout_;
  std::vector<std::int64_t> trained_, held_out_;
  std::int64_t steps_ = 0;
  std::int64_t ordered_epoch_ = -1;
  std::vector<std::int64_t> order_;  // of trained_, in that epoch
  at::Tensor black_;                 // of images that are cropped
};

}  // namespace bitplan::train
