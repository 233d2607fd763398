#include "corrections/outliers.h"

#include <ATen/ATen.h>

#include <functional>
#include <optional>
#include <set>
#include <utility>

#include "calibration/histogram.h"
#include "calibration/range.h"
#include "corrections/sample_passes.h"
#include "network/layer_product.h"
#include "quantize/weight_grid.h"

namespace bitplan::quantize {

namespace {

/// Shows the values at some sites, one after the other.
class SiteReader : public Probe {
 public:
  using Read = std::function<void(int site, const at::Tensor& value)>;
  SiteReader(std::set<int> sites, Read read) : sites_(std::move(sites)), read_(std::move(read)) {}
  at::Tensor Visit(int site, const at::Tensor& value) override {
    if (sites_.contains(site)) read_(site, value.detach());
    return value;
  }

 private:
  std::set<int> sites_;
  Read read_;
};

/// Binary and ternary values have a scale that columns of zeros would change.
bool KeepsColumns(const Format& format) {
  return format.HasScale() && format.type != NumberType::Binary && format.type != NumberType::Ternary;
}

/// The sites that only such layers read, and the format of what they read.
std::map<int, Format> SitesOfLinearLayers(const Network& network, const Plan& plan) {
  std::map<int, Format> sites;
  std::set<int> others;
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    const LayerPlan& planned = plan.layers[i];
    for (std::size_t use = 0; use < network.layers()[i].uses.size(); ++use) {
      const int site = network.layers()[i].uses[use].input_site;
      if (site < 0) continue;
      const auto product = network::LayerProduct::Of(network, static_cast<int>(i), use);
      const bool fits = product && product->IsLinear() && KeepsColumns(planned.weight) &&
                        planned.activation.HasScale() && planned.activation.calibrator != Calibrator::Dynamic &&
                        !planned.learned_weight && !planned.learned_input;
      if (fits) sites.emplace(site, planned.activation);
      if (!fits) others.insert(site);
    }
  }
  for (const int site : others) sites.erase(site);
  return sites;
}

std::set<int> Keys(const std::map<int, Format>& sites) {
  std::set<int> keys;
  for (const auto& [site, format] : sites) keys.insert(site);
  return keys;
}

}  // namespace

std::map<int, Outliers> FindOutliers(const Network& network, const Plan& plan, const std::vector<at::Tensor>& inputs,
                                     std::int64_t samples_a_pass) {
  const double threshold = plan.corrections.outlier_threshold;
  if (threshold == 0 || inputs.empty()) return {};
  const std::map<int, Format> formats = SitesOfLinearLayers(network, plan);
  std::map<int, at::Tensor> beyond;  // bool [features]
  SiteReader find(Keys(formats), [&](int site, const at::Tensor& value) {
    const at::Tensor found = value.abs().gt(threshold).flatten(0, -2).any(0);
    at::Tensor& known = beyond[site];
    known = known.defined() ? known.logical_or(found) : found;
  });
  const auto show = [&](Probe& probe) {
    for (const std::vector<at::Tensor>& part : InPasses(inputs, samples_a_pass))
      network.Forward(part, network.ParameterValues(), &probe);
  };
  show(find);

  std::map<int, calibration::Histogram> rest;
  SiteReader measure(Keys(formats), [&](int site, const at::Tensor& value) {
    const at::Tensor& kept = beyond.at(site);
    if (!kept.any().item<bool>() || kept.all().item<bool>()) return;
    const at::Tensor others = value.flatten(0, -2)
                                  .index_select(1, kept.logical_not().nonzero().flatten())
                                  .to(at::kCPU, at::kFloat)
                                  .contiguous();
    rest[site].Add({others.const_data_ptr<float>(), static_cast<std::size_t>(others.numel())});
  });
  show(measure);

  std::map<int, Outliers> outliers;
  for (const auto& [site, histogram] : rest) {
    const calibration::QuantizationRange range = calibration::Calibrate(histogram.Values(), formats.at(site));
    outliers[site] = {beyond.at(site).nonzero().flatten(), {range.scale, range.zero_point}};
  }
  return outliers;
}

QuantizedTensor QuantizeBeside(const at::Tensor& columns, const at::Tensor& weight, const Format& format,
                               int channel_axis) {
  QuantizedTensor grid = FindGrids(weight.detach().index_fill(1, columns, 0), {format}, channel_axis).front();
  grid.outlier_columns = columns;
  return PutOnGrid(weight, grid);
}

}  // namespace bitplan::quantize
