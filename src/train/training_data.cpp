#include "training_data.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "augment.h"
#include "bitplan/error.h"
#include "data/draw.h"
#include "draws.h"

namespace bitplan::train {

TrainingData::TrainingData(const Network& network, const Dataset& data, const TrainOptions& options)
    : data_(data), options_(options), device_(network.device()), layout_(network, data.Get(0, 1, device_).inputs) {
  std::vector<std::int64_t> all = data::DrawSamples(data.size(), data.size(), options.seed);
  const auto held_out = static_cast<std::ptrdiff_t>(std::ceil(options.held_out * static_cast<double>(data.size())));
  held_out_.assign(all.begin(), all.begin() + held_out);
  trained_.assign(all.begin() + held_out, all.end());
  if (trained_.size() < 2)
    throw Error(fmt::format("held_out {} of {} samples leaves {} to train on, at least 2 needed", options.held_out,
                            data.size(), trained_.size()));
  steps_ = std::max<std::int64_t>(static_cast<std::int64_t>(trained_.size()) / options.batch_size, 1);
  if (options.crop_padding == 0 && !options.flip) return;
  const at::Tensor image = data.Get(0, 1).inputs.front();
  if (image.dim() != 4 || !image.is_floating_point())
    throw Error("crop_padding and flip are for images [N, C, H, W], which the data's first input is not");
  black_ = BlackPixel(data, image.size(1));
}

Batch TrainingData::Get(const std::vector<std::int64_t>& samples) const {
  Batch batch = data_.Get(samples, device_);
  batch.inputs = layout_(std::move(batch.inputs));
  return batch;
}

Batch TrainingData::Step(std::int64_t epoch, std::int64_t step) {
  if (ordered_epoch_ != epoch) {
    order_ = data::DrawSamples(std::ssize(trained_), std::ssize(trained_),
                               DrawSeed(options_.seed, DrawKind::Order, epoch, 0));
    ordered_epoch_ = epoch;
  }
  const std::int64_t begin = step * options_.batch_size,
                     end = std::min(begin + options_.batch_size, std::ssize(order_));
  std::vector<std::int64_t> samples;
  for (std::int64_t i = begin; i < end; ++i)
    samples.push_back(trained_[static_cast<std::size_t>(order_[static_cast<std::size_t>(i)])]);
  Batch batch = Get(samples);
  if (!black_.defined()) return batch;
  const auto seed = DrawSeed(options_.seed, DrawKind::Step, epoch, step);
  batch.inputs.front() =
      Augment(batch.inputs.front(), options_, black_, at::make_generator<at::CPUGeneratorImpl>(seed));
  return batch;
}

std::vector<std::vector<std::int64_t>> TrainingData::InBatches(const std::vector<std::int64_t>& samples) const {
  std::vector<std::vector<std::int64_t>> batches;
  for (std::int64_t begin = 0; begin < std::ssize(samples); begin += options_.batch_size)
    batches.emplace_back(samples.begin() + begin,
                         samples.begin() + std::min(begin + options_.batch_size, std::ssize(samples)));
  return batches;
}

std::vector<std::vector<std::int64_t>> TrainingData::HeldOut() const { return InBatches(held_out_); }

std::vector<std::vector<std::int64_t>> TrainingData::Calibration() const {
  const std::int64_t count = std::min(options_.calibration_samples, std::ssize(trained_));
  return InBatches({trained_.begin(), trained_.begin() + count});
}

}  // namespace bitplan::train
