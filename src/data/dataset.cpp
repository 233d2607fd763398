#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <string>
#include <utility>

#include "bitplan/data.h"
#include "bitplan/error.h"
#include "checked_samples.h"
#include "data/draw.h"
#include "data/spec.h"
#include "data_sha256.h"
#include "decode/array.h"
#include "raw_samples.h"

namespace bitplan {
namespace {

/// The options with the constants that torchvision's ImageNet models, and by custom many CIFAR ones, normalize with.
DataOptions WithDefaults(DataOptions options, data::FileKind kind) {
  if (options.mean.empty() && (kind == data::FileKind::Cifar10 || kind == data::FileKind::Cifar100)) {
    options.mean = {0.485, 0.456, 0.406};
    options.std = {0.229, 0.224, 0.225};
  }
  return options;
}

void CheckNormalization(const at::Tensor& input, const std::string& where, const DataOptions& options) {
  const std::size_t values = std::max(options.mean.size(), options.std.size());
  if (values == 0) return;
  if (input.scalar_type() == at::kLong) {
    throw Error(
        fmt::format("{}: holds integers wider than 8 bits, which are not normalized; leave mean and std out", where));
  }
  if (values == 1) return;
  if (input.dim() < 2 || static_cast<std::size_t>(input.size(1)) != values) {
    throw Error(
        fmt::format("{}: mean and std have {} values for samples of shape {}; give one, or one per channel (the "
                    "first axis of a sample)",
                    where, values, decode::ShapeText(input.sizes().slice(1).vec())));
  }
}

at::Tensor Select(const at::Tensor& tensor, const std::vector<std::int64_t>& order) {
  return tensor.defined() ? tensor.index_select(0, at::tensor(order, at::kLong)) : tensor;
}

/// One value, or one per channel, shaped to meet the channel axis of `like`.
at::Tensor ChannelValues(const std::vector<double>& values, const at::Tensor& like) {
  std::vector<std::int64_t> shape(static_cast<std::size_t>(like.dim()), 1);
  if (values.size() > 1) shape[1] = static_cast<std::int64_t>(values.size());
  return at::tensor(values, at::kFloat).view(shape).to(like.device());
}

}  // namespace

Dataset Dataset::Make(data::RawSamples raw, const DataOptions& options, std::string source) {
  std::vector<std::string> names;
  for (const data::RawTensor& input : raw.inputs) names.push_back(input.where);
  data::Samples samples = data::CheckSamples(std::move(raw), options.ignored_labels);
  for (std::size_t i = 0; i < names.size(); ++i) CheckNormalization(samples.inputs[i], names[i], options);

  Dataset dataset;
  dataset.inputs_ = std::move(samples.inputs);
  dataset.labels_ = std::move(samples.labels);
  dataset.options_ = options;
  dataset.size_ = dataset.inputs_.front().size(0);
  dataset.source_ = std::move(source);
  if (options.samples > dataset.size_ && !options.fewer_allowed) {
    throw Error(fmt::format("{}: {} samples were asked for, and it has {}", dataset.source_,
                            decode::Grouped(static_cast<std::uint64_t>(options.samples)),
                            decode::Grouped(static_cast<std::uint64_t>(dataset.size_))));
  }
  if (options.samples > 0) {
    const std::int64_t count = std::min(options.samples, dataset.size_);
    const std::vector<std::int64_t> order = data::DrawSamples(dataset.size_, count, options.seed);
    for (at::Tensor& input : dataset.inputs_) input = Select(input, order);
    dataset.labels_ = Select(dataset.labels_, order);
    dataset.size_ = count;
  }
  return dataset;
}

Dataset Dataset::Load(std::string_view spec, const DataOptions& options) {
  options.Validate();
  const data::Spec parsed = data::ParseSpec(spec);
  try {
    Dataset dataset = Make(data::ReadSamples(parsed, options.input_names), WithDefaults(options, parsed.kind), std::string(spec));
    dataset.sha256_ = data::DataSha256(parsed);
    return dataset;
  } catch (const std::bad_alloc&) {
    throw Error(fmt::format("{}: does not fit into memory", parsed.file.string()));
  }
}

Dataset Dataset::FromTensors(std::vector<at::Tensor> inputs, at::Tensor labels, const DataOptions& options) {
  options.Validate();
  if (inputs.empty()) throw Error("data in memory: there is no input; give at least one tensor");
  data::RawSamples raw;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    raw.inputs.push_back({std::move(inputs[i]), fmt::format("input {}", i)});
  raw.labels = {std::move(labels), "labels"};
  return Make(std::move(raw), options, "data in memory");
}

Batch Dataset::Get(std::int64_t begin, std::int64_t end, at::Device device) const {
  if (begin < 0 || begin >= end || end > size_) {
    throw Error(fmt::format("{}: samples {} … {} are not within its {}", source_, begin, end - 1, size_));
  }
  return Prepare([&](const at::Tensor& stored) { return stored.slice(0, begin, end); }, device);
}

Batch Dataset::Get(const std::vector<std::int64_t>& samples, at::Device device) const {
  if (samples.empty()) throw Error(fmt::format("{}: no samples were asked for", source_));
  for (const std::int64_t sample : samples)
    if (sample < 0 || sample >= size_)
      throw Error(fmt::format("{}: sample {} is not one of its {}", source_, sample, size_));
  return Prepare([&](const at::Tensor& stored) { return Select(stored, samples); }, device);
}

std::int64_t Dataset::bytes() const {
  std::int64_t bytes = has_labels() ? static_cast<std::int64_t>(labels_.storage().nbytes()) : 0;
  for (const at::Tensor& input : inputs_) bytes += static_cast<std::int64_t>(input.storage().nbytes());
  return bytes;
}

at::Tensor Dataset::labels() const { return labels_; }

Batch Dataset::Prepare(const std::function<at::Tensor(const at::Tensor&)>& select, at::Device device) const {
  Batch batch;
  for (const at::Tensor& input : inputs_) {
    // A copy even where nothing changes: networks may write into their inputs.
    const at::Tensor stored = select(input);
    at::Tensor values = stored.to(device, stored.scalar_type(), /*non_blocking=*/false, /*copy=*/true);
    if (values.scalar_type() == at::kByte) values = values.to(at::kFloat).div_(255);
    if (!mean().empty()) values.sub_(ChannelValues(mean(), values)).div_(ChannelValues(std(), values));
    batch.inputs.push_back(std::move(values));
  }
  if (has_labels()) batch.labels = select(labels_).to(device, labels_.scalar_type(), false, /*copy=*/true);
  return batch;
}

Dataset Dataset::First(std::int64_t count) const {
  if (count < 1)
    throw Error(fmt::format("{}: the first {} samples were asked for; it must be 1 or more", source_, count));
  return Part(0, std::min(count, size_));
}

Dataset Dataset::From(std::int64_t first) const {
  if (first < 0 || first >= size_)
    throw Error(fmt::format("{}: the samples from number {} on were asked for; there are {}", source_, first, size_));
  return Part(first, size_ - first);
}

Dataset Dataset::Part(std::int64_t begin, std::int64_t count) const {
  Dataset part = *this;
  part.size_ = count;
  part.first_ += begin;
  for (at::Tensor& input : part.inputs_) input = input.narrow(0, begin, count);
  if (has_labels()) part.labels_ = labels_.narrow(0, begin, count);
  return part;
}

}  // namespace bitplan
