#include "input_errors.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <map>

#include "bitplan/quantize.h"
#include "curvature/variable_slots.h"
#include "fisher/visited_tensors.h"
#include "layer_facts.h"
#include "process/memory_limit.h"
#include "quantize/squared_norm.h"

namespace bitplan::hessian {

namespace {

/// Makes a row of every tensor that a layer reads.
class InputErrorProbe : public Probe {
 public:
  InputErrorProbe(const Network& network, Groundwork& groundwork) : sites_(network.sites()), groundwork_(groundwork) {
    const ChoiceSpace& choices = groundwork.choices();
    for (const int width : choices.activation_widths) formats_.push_back(choices.activation_format.WithBits(width));
  }

  at::Tensor Visit(int site, const at::Tensor& value) override {
    if (sites_[static_cast<std::size_t>(site)].kind != Site::Kind::LayerInput || !value.is_floating_point() ||
        visited_.Find(value))
      return value;
    visited_.Add(value);
    rows_.insert(rows_.end(),
                 {static_cast<double>(site), static_cast<double>(value.numel()), quantize::SquaredNorm(value)});
    for (const Format& format : formats_) rows_.push_back(SquaredError(site, value, format));
    return value;
  }

  const std::vector<double>& rows() const { return rows_; }

 private:
  double SquaredError(int site, const at::Tensor& value, const Format& format) const {
    if (format.bits == 32) return 0;
    const ActivationRange range = format.HasScale() ? groundwork_.Statistics().Range(site, format) : ActivationRange{};
    return quantize::SquaredNorm(FakeQuantize(value, format, range) - value);
  }

  const std::vector<Site>& sites_;
  Groundwork& groundwork_;
  std::vector<Format> formats_;
  VisitedTensors visited_;
  std::vector<double> rows_;
};

/// What quantizing a tensor does to it.
struct InputError {
  std::int64_t elements = 0;
  double squared_norm = 0;
  std::vector<double> squared_errors;  ///< of each width; empty where it was not reached
};

InputError MeanOverSamples(const Layer& layer, const std::map<int, InputError>& sums, std::int64_t samples,
                           std::size_t widths) {
  InputError mean;
  mean.squared_errors.resize(widths);
  const auto count = static_cast<double>(samples);
  for (const int site : InputSites(layer)) {
    const auto found = sums.find(site);
    if (found == sums.end()) continue;
    const InputError& sum = found->second;
    mean.elements += sum.elements / samples;
    mean.squared_norm += sum.squared_norm / count;
    for (std::size_t i = 0; i < widths; ++i) mean.squared_errors[i] += sum.squared_errors[i] / count;
  }
  return mean;
}

}  // namespace

std::int64_t InputErrors::SamplesAtOnce() {
  const auto found = context_.records.Common("samples at once for input errors", 1, [&] {
    const at::NoGradGuard no_gradient;
    const ChoiceSpace& choices = context_.groundwork.choices();
    if (std::any_of(choices.activation_widths.begin(), choices.activation_widths.end(),
                    [&](int width) { return choices.activation_format.WithBits(width).HasScale(); }))
      context_.groundwork.Statistics();  // before what they take is measured
    const at::Device device(context_.network.device());
    const std::vector<at::Tensor> parameters = context_.network.ParameterValues();
    return std::vector<std::int64_t>{process::SamplesAPass(
        std::min(options_.limits.batch_size, context_.data.size()), options_.limits.memory_bytes, 0,
        [&](std::int64_t count) {
          InputErrorProbe trial(context_.network, context_.groundwork);
          context_.network.Forward(context_.data.Get(0, count, device).inputs, parameters, &trial);
        })};
  });
  return found.at(0);
}

std::int64_t InputErrors::Units() {
  const std::int64_t samples = SamplesAtOnce();
  return (context_.data.size() + samples - 1) / samples;
}

std::vector<double> InputErrors::Visits(std::int64_t unit) {
  const std::int64_t samples = SamplesAtOnce(), begin = unit * samples,
                     end = std::min(begin + samples, context_.data.size());
  const std::string record = fmt::format("input errors of samples {} to {}", begin, end - 1);
  return context_.records.Rows<double>(record, columns(), [&] {
    const at::NoGradGuard no_gradient;
    InputErrorProbe probe(context_.network, context_.groundwork);
    context_.network.Forward(context_.data.Get(begin, end, at::Device(context_.network.device())).inputs,
                             context_.network.ParameterValues(), &probe);
    Report(options_.progress, "activation errors", end, context_.data.size());
    return probe.rows();
  });
}

void InputErrors::Finish() {
  const std::vector<int>& widths = context_.groundwork.choices().activation_widths;
  std::map<int, InputError> sums;  // of each site
  const std::int64_t units = Units();
  for (std::int64_t unit = 0; unit < units; ++unit) {
    const std::vector<double> visits = Visits(unit);
    for (auto row = visits.begin(); row != visits.end(); row += static_cast<std::ptrdiff_t>(columns())) {
      InputError& sum = sums[static_cast<int>(row[0])];
      sum.elements += static_cast<std::int64_t>(row[1]);
      sum.squared_norm += row[2];
      sum.squared_errors.resize(widths.size());
      for (std::size_t i = 0; i < widths.size(); ++i) sum.squared_errors[i] += row[3 + static_cast<std::ptrdiff_t>(i)];
    }
  }
  std::vector<LayerSensitivity>& layers = context_.result.layers;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const InputError mean = MeanOverSamples(context_.network.layers()[i], sums, context_.data.size(), widths.size());
    layers[i].activation.elements = mean.elements;
    layers[i].activation_choices.clear();
    if (mean.elements == 0) layers[i].activation_choices.emplace_back();
    for (std::size_t k = 0; mean.elements > 0 && k < widths.size(); ++k)
      layers[i].activation_choices.push_back(MakePerturbation(widths[k], mean.squared_errors[k], mean.squared_norm));
  }
}

}  // namespace bitplan::hessian
