#include "file_source.h"

#include <numeric>
#include <utility>

#include "checked_samples.h"

namespace bitplan::data {

FileSource::FileSource(std::vector<StoredTensor> inputs, std::optional<std::vector<std::int64_t>> order,
                       at::Tensor labels, std::string name, std::string sha256)
    : inputs_(std::move(inputs)),
      order_(std::move(order)),
      labels_(std::move(labels)),
      name_(std::move(name)),
      sha256_(std::move(sha256)) {}

std::int64_t FileSource::size() const { return order_ ? std::ssize(*order_) : inputs_.front().size(); }

std::vector<SampleForm> FileSource::inputs() const {
  std::vector<SampleForm> forms;
  for (const StoredTensor& input : inputs_)
    forms.push_back({input.where(), StoredType(input.type()), input.SampleShape()});
  return forms;
}

std::vector<at::Tensor> FileSource::Inputs(std::int64_t begin, std::int64_t end) const {
  std::vector<std::int64_t> samples(static_cast<std::size_t>(end - begin));
  std::iota(samples.begin(), samples.end(), begin);
  return Inputs(samples);
}

std::vector<at::Tensor> FileSource::Inputs(const std::vector<std::int64_t>& samples) const {
  std::vector<std::int64_t> in_file = samples;
  if (order_)
    for (std::int64_t& sample : in_file) sample = (*order_)[static_cast<std::size_t>(sample)];
  std::vector<at::Tensor> read;
  for (const StoredTensor& input : inputs_)
    read.push_back(CheckInput({input.Read(in_file), input.where()},
                              [&](std::int64_t row) { return in_file[static_cast<std::size_t>(row)]; }));
  return read;
}

}  // namespace bitplan::data
