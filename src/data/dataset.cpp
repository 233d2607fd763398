#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <string>
#include <utility>

#include "bitplan/data.h"
#include "bitplan/error.h"
#include "checked_samples.h"
#include "data/spec.h"
#include "drawn_numbers.h"
#include "load_samples.h"
#include "memory_source.h"
#include "normalization.h"
#include "raw_samples.h"
#include "source_stages.h"

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

at::Tensor Select(const at::Tensor& tensor, const std::vector<std::int64_t>& order) {
  return tensor.defined() ? tensor.index_select(0, at::tensor(order, at::kLong)) : tensor;
}

/// Checked as a whole; what is not drawn is not kept.
data::RawSamples Kept(data::RawSamples raw, const std::string& name, const DataOptions& options) {
  data::RawSamples kept;
  for (const data::RawTensor& input : raw.inputs) kept.inputs.push_back({{}, input.where});
  data::Samples samples = data::CheckSamples(std::move(raw), options.ignored_labels);
  for (std::size_t i = 0; i < kept.inputs.size(); ++i) kept.inputs[i].tensor = std::move(samples.inputs[i]);
  kept.labels.tensor = std::move(samples.labels);
  for (const data::RawTensor& input : kept.inputs) data::CheckNormalization(data::FormOf(input), options);
  const auto drawn = data::DrawnNumbers(kept.inputs.front().tensor.size(0), name, options);
  if (!drawn) return kept;
  for (data::RawTensor& input : kept.inputs) input.tensor = Select(input.tensor, *drawn);
  kept.labels.tensor = Select(kept.labels.tensor, *drawn);
  return kept;
}

/// One value, or one per channel, shaped to meet the channel axis of `like`.
at::Tensor ChannelValues(const std::vector<double>& values, const at::Tensor& like) {
  std::vector<std::int64_t> shape(static_cast<std::size_t>(like.dim()), 1);
  if (values.size() > 1) shape[1] = static_cast<std::int64_t>(values.size());
  return at::tensor(values, at::kFloat).view(shape).to(like.device());
}

}  // namespace

Dataset::Dataset(std::shared_ptr<const SampleSource> samples, const DataOptions& options)
    : samples_(std::move(samples)),
      labels_(samples_->Labels()),
      options_(options),
      size_(samples_->size()),
      sha256_(samples_->sha256()),
      name_(samples_->name()) {}

Dataset Dataset::Load(std::string_view spec, const DataOptions& options) {
  options.Validate();
  const data::Spec parsed = data::ParseSpec(spec);
  const std::string name(spec);
  try {
    const DataOptions settled = WithDefaults(options, parsed.kind);
    return {data::LoadSamples(parsed, name, settled), settled};
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
  const std::string name = "data in memory";
  return {std::make_shared<data::MemorySource>(Kept(std::move(raw), name, options), name), options};
}

Dataset Dataset::FromSource(std::shared_ptr<const SampleSource> source, const DataOptions& options) {
  options.Validate();
  if (!source || source->size() < 1 || source->inputs().empty())
    throw Error(fmt::format("{}: has no samples", source ? source->name() : "a source of samples that is null"));
  std::shared_ptr<const SampleSource> samples =
      std::make_shared<data::CheckedSamples>(std::move(source), options.ignored_labels);
  for (const SampleForm& input : samples->inputs()) data::CheckNormalization(input, options);
  if (auto drawn = data::DrawnNumbers(samples->size(), samples->name(), options))
    samples = std::make_shared<data::DrawnSamples>(std::move(samples), *std::move(drawn));
  return {std::move(samples), options};
}

Batch Dataset::Get(std::int64_t begin, std::int64_t end, at::Device device) const {
  if (begin < 0 || begin >= end || end > size_) {
    throw Error(fmt::format("{}: samples {} … {} are not within its {}", name_, begin, end - 1, size_));
  }
  return Prepare(samples_->Inputs(first_ + begin, first_ + end), has_labels() ? labels_.slice(0, begin, end) : labels_,
                 device);
}

Batch Dataset::Get(const std::vector<std::int64_t>& samples, at::Device device) const {
  if (samples.empty()) throw Error(fmt::format("{}: no samples were asked for", name_));
  std::vector<std::int64_t> in_source;
  for (const std::int64_t sample : samples) {
    if (sample < 0 || sample >= size_)
      throw Error(fmt::format("{}: sample {} is not one of its {}", name_, sample, size_));
    in_source.push_back(first_ + sample);
  }
  return Prepare(samples_->Inputs(in_source), Select(labels_, samples), device);
}

std::int64_t Dataset::bytes() const {
  return samples_->bytes() + (has_labels() ? static_cast<std::int64_t>(labels_.storage().nbytes()) : 0);
}

std::vector<std::string> Dataset::skipped() const { return samples_->skipped(); }

at::Tensor Dataset::labels() const { return labels_; }

Batch Dataset::Prepare(const std::vector<at::Tensor>& inputs, const at::Tensor& labels, at::Device device) const {
  Batch batch;
  for (const at::Tensor& stored : inputs) {
    // A copy even where nothing changes: networks may write into their inputs.
    at::Tensor values = stored.to(device, stored.scalar_type(), /*non_blocking=*/false, /*copy=*/true);
    if (values.scalar_type() == at::kByte) values = values.to(at::kFloat).div_(255);
    if (!mean().empty()) values.sub_(ChannelValues(mean(), values)).div_(ChannelValues(std(), values));
    batch.inputs.push_back(std::move(values));
  }
  if (labels.defined()) batch.labels = labels.to(device, labels.scalar_type(), false, /*copy=*/true);
  return batch;
}

Dataset Dataset::First(std::int64_t count) const {
  if (count < 1)
    throw Error(fmt::format("{}: the first {} samples were asked for; it must be 1 or more", name_, count));
  return Part(0, std::min(count, size_));
}

Dataset Dataset::From(std::int64_t first) const {
  if (first < 0 || first >= size_)
    throw Error(fmt::format("{}: the samples from number {} on were asked for; there are {}", name_, first, size_));
  return Part(first, size_ - first);
}

Dataset Dataset::Part(std::int64_t begin, std::int64_t count) const {
  Dataset part = *this;
  part.size_ = count;
  part.first_ += begin;
  if (has_labels()) part.labels_ = labels_.narrow(0, begin, count);
  return part;
}

}  // namespace bitplan
