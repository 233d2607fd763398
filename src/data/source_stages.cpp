#include "source_stages.h"

#include <ATen/Functions.h>
#include <fmt/format.h>

#include "bitplan/error.h"
#include "checked_samples.h"
#include "decode/array.h"

namespace bitplan::data {

namespace {

void RequireForm(const at::Tensor& read, std::int64_t count, const SampleForm& form) {
  std::vector<std::int64_t> shape = form.shape;
  shape.insert(shape.begin(), count);
  if (read.defined() && read.scalar_type() == form.type && read.sizes() == shape) return;
  throw Error(fmt::format(
      "{}: gave {} where {} {} was to come", form.where,
      read.defined() ? fmt::format("{} {}", at::toString(read.scalar_type()), decode::ShapeText(read.sizes().vec()))
                     : "an undefined tensor",
      at::toString(form.type), decode::ShapeText(shape)));
}

}  // namespace

std::vector<SampleForm> CheckedSamples::inputs() const {
  std::vector<SampleForm> forms = source().inputs();
  for (SampleForm& form : forms) form.type = StoredType(form.type);
  return forms;
}

std::vector<at::Tensor> CheckedSamples::Inputs(std::int64_t begin, std::int64_t end) const {
  return Checked(source().Inputs(begin, end), end - begin, [&](std::int64_t row) { return begin + row; });
}

std::vector<at::Tensor> CheckedSamples::Inputs(const std::vector<std::int64_t>& samples) const {
  return Checked(source().Inputs(samples), std::ssize(samples),
                 [&](std::int64_t row) { return samples[static_cast<std::size_t>(row)]; });
}

std::vector<at::Tensor> CheckedSamples::Checked(std::vector<at::Tensor> read, std::int64_t count,
                                                const SampleNumber& number) const {
  const std::vector<SampleForm> forms = source().inputs();
  if (read.size() != forms.size())
    throw Error(fmt::format("{}: gave {} inputs in place of {}", name(), read.size(), forms.size()));
  for (std::size_t i = 0; i < read.size(); ++i) {
    RequireForm(read[i], count, forms[i]);
    read[i] = CheckInput({read[i], forms[i].where}, number);
  }
  return read;
}

at::Tensor CheckedSamples::Labels() const {
  const at::Tensor labels = source().Labels();
  if (!labels.defined()) return labels;
  const std::string where = name() + ": labels";
  const at::Tensor checked = CheckLabels({labels, where}, ignored_labels_);
  if (checked.size(0) == size()) return checked;
  throw Error(fmt::format("{}: {} labels for {} samples", where, checked.size(0), size()));
}

std::vector<at::Tensor> DrawnSamples::Inputs(std::int64_t begin, std::int64_t end) const {
  return source().Inputs(std::vector<std::int64_t>(order_.begin() + begin, order_.begin() + end));
}

std::vector<at::Tensor> DrawnSamples::Inputs(const std::vector<std::int64_t>& samples) const {
  std::vector<std::int64_t> drawn;
  for (const std::int64_t sample : samples) drawn.push_back(order_[static_cast<std::size_t>(sample)]);
  return source().Inputs(drawn);
}

at::Tensor DrawnSamples::Labels() const {
  const at::Tensor labels = source().Labels();
  return labels.defined() ? labels.index_select(0, at::tensor(order_, at::kLong)) : labels;
}

}  // namespace bitplan::data
