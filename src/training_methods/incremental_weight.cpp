#include "training_methods/incremental_weight.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "bitplan/error.h"
#include "learned_numbers.h"
#include "quantize/weight_grid.h"

namespace bitplan::training_methods {

IncrementalWeight::IncrementalWeight(const Format& format, int channel_axis)
    : format_(format), channel_axis_(channel_axis) {
  MakeWeightQuantizer(TrainingMethod::Fixed, format, channel_axis, {});  // throws what is wrong with the format
}

void IncrementalWeight::Initialize(const at::Tensor& w) {
  grid_ = quantize::FindGrids(w, {format_}, channel_axis_).front();
  quantized_ = at::zeros_like(w, at::kBool);
  values_ = at::zeros_like(w);
}

void IncrementalWeight::Finish() { CheckStarted(quantized_.defined()); }

void IncrementalWeight::QuantizeLargest(const at::Tensor& w, double portion) {
  if (!(portion > 0 && portion <= 1)) throw Error(fmt::format("portion: {} is outside (0, 1]", portion));
  const at::NoGradGuard no_grad;
  const auto wanted = static_cast<std::int64_t>(std::llround(portion * static_cast<double>(w.numel())));
  const std::int64_t more = wanted - quantized_.sum().item<std::int64_t>();
  if (more <= 0) return;
  const at::Tensor magnitude = w.detach().abs().masked_fill(quantized_, -1).flatten();
  const at::Tensor largest = std::get<1>(magnitude.topk(more));
  const at::Tensor chosen = at::zeros_like(magnitude, at::kBool).index_fill_(0, largest, true).view(w.sizes());
  values_.copy_(at::where(chosen, quantize::PutOnGrid(w, grid_).value, values_));
  quantized_.logical_or_(chosen);
}

at::Tensor IncrementalWeight::operator()(const at::Tensor& w, bool /*training*/) {
  return at::where(quantized_, values_, w);
}

std::vector<QuantizerTensor> IncrementalWeight::tensors() {
  std::vector<QuantizerTensor> all = {{"quantized", quantized_, 0, false}, {"values", values_, 0, false}};
  if (grid_.scale.defined()) all.push_back({"scale", grid_.scale, 0, false});
  if (grid_.zero_point.defined()) all.push_back({"zero_point", grid_.zero_point, 0, false});
  if (grid_.threshold.defined()) all.push_back({"threshold", grid_.threshold, 0, false});
  return all;
}

std::pair<Format, LearnedGrid> IncrementalWeight::Grid(const at::Tensor& /*w*/) const {
  return {format_, format_.HasScale() ? ToLearnedGrid(grid_) : LearnedGrid{}};
}

at::Tensor IncrementalWeight::Latent(const at::Tensor& w) const { return at::where(quantized_, values_, w.detach()); }

void IncrementalWeight::ClipWeight(at::Tensor& w) const {
  const at::NoGradGuard no_grad;
  w.copy_(Latent(w));
}

void IncrementalSchedule::Validate(std::int64_t epochs) const {
  double last = 0;
  for (const double portion : portions) {
    if (!(portion > last && portion <= 1))
      throw Error(fmt::format("portions: {} given; expected ascending ones in (0, 1]", fmt::join(portions, ", ")));
    last = portion;
  }
  if (last != 1) throw Error(fmt::format("portions: {} given; the last must be 1", fmt::join(portions, ", ")));
  if (epochs < static_cast<std::int64_t>(portions.size()))
    throw Error(
        fmt::format("epochs: {} given; at least one for each of the {} portions needed", epochs, portions.size()));
}

double IncrementalSchedule::PortionAt(std::int64_t epoch, std::int64_t epochs) const {
  return portions[static_cast<std::size_t>(epoch * static_cast<std::int64_t>(portions.size()) / epochs)];
}

}  // namespace bitplan::training_methods
