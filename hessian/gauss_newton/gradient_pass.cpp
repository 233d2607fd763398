#include "gauss_newton/gradient_pass.h"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <deque>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "fisher/sample_axis.h"
#include "network/derivatives.h"

namespace bitplan::hessian {

namespace {

/// What is asked of LibTorch for the length of a scope, on this thread.
class Autocast {
 public:
  explicit Autocast(const at::Device& device, bool enabled)
      : type_(device.type()),
        was_enabled_(at::autocast::is_autocast_enabled(type_)),
        was_(at::autocast::get_autocast_dtype(type_)) {
    at::autocast::set_autocast_enabled(type_, enabled);
    if (enabled) at::autocast::set_autocast_dtype(type_, at::kBFloat16);
  }
  ~Autocast() {
    at::autocast::set_autocast_enabled(type_, was_enabled_);
    at::autocast::set_autocast_dtype(type_, was_);
  }
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  at::DeviceType type_;
  bool was_enabled_;
  at::ScalarType was_;
};

std::vector<std::size_t> Positions(std::size_t count) {
  std::vector<std::size_t> all(count);
  std::iota(all.begin(), all.end(), std::size_t{0});
  return all;
}

std::vector<at::Tensor> FirstOf(const std::vector<at::Tensor>& samples) {
  std::vector<at::Tensor> first;
  for (const at::Tensor& input : samples) first.push_back(input.narrow(0, 0, 1).clone());
  return first;
}

}  // namespace

/// Keeps what layers read and the gradients at what they give. The gradients reach the hooks that it sets.
class GradientPass::Recorder : public Probe {
 public:
  struct Run {
    std::size_t layer = 0, use = 0;
    int input_site = -1;
    at::Tensor x;
    std::int64_t x_version = 0;
    std::vector<std::int64_t> y_shape;
    std::int64_t y_axis = 0;  // as UseRun
    at::Tensor gradients;     // as UseRun; undefined where none came
  };

  /// Records the layers in `wanted`.
  Recorder(const GradientPass& pass, const std::vector<std::size_t>& wanted, std::int64_t rows_of_all)
      : rows(rows_of_all), pass_(pass) {
    for (const std::size_t i : wanted)
      for (std::size_t use = 0; use < pass.uses_[i].size(); ++use) {
        const LayerUse& sites = pass.network_.layers()[static_cast<std::size_t>(pass.layers_[i])].uses[use];
        inputs_[sites.input_site] = {};
        outputs_[sites.output_site] = {i, use, sites.input_site};
      }
  }

  at::Tensor Visit(int site, const at::Tensor& value) override {
    if (const auto input = inputs_.find(site); input != inputs_.end()) {
      const at::Tensor x = pass_.copied_sites_.contains(site) ? value.detach().clone() : value.detach();
      input->second = Input{x, Version(x)};
    }
    const auto output = outputs_.find(site);
    if (output == outputs_.end()) return value;
    const Input& input = inputs_.at(output->second.input_site);
    at::Tensor traced = value;
    if (at::GradMode::is_enabled() && !value.requires_grad()) {
      // Where gradients begin. Not the leaf itself, so that operators may write to it.
      leaves.push_back(value.detach().requires_grad_());
      traced = leaves.back().clone();
    }
    const auto& [layer, use, input_site] = output->second;
    const std::int64_t y_axis = pass_.one_sample_only_ ? -1 : pass_.axes_[layer][use].y;
    Run& run = runs.emplace_back(Run{layer, use, input_site, input.x, input.version, value.sizes().vec(), y_axis, {}});
    if (traced.requires_grad())
      traced.register_hook([this, &run](const at::Tensor& gradient) { Keep(run, gradient.detach()); });
    return traced;
  }

  /// Input sites whose tensors were written to after a layer had read them.
  std::set<int> WrittenSites() const {
    std::set<int> written;
    for (const Run& run : runs)
      if (Version(run.x) != run.x_version) written.insert(run.input_site);
    return written;
  }

  std::deque<Run> runs;  // hooks point into it
  std::vector<at::Tensor> leaves;
  std::int64_t row = 0, rows = 0;  // which backward pass is on its way

 private:
  void Keep(Run& run, const at::Tensor& gradient) const {
    const at::Tensor by_sample = run.y_axis < 0 ? gradient.unsqueeze(0) : gradient.movedim(run.y_axis, 0);
    if (!run.gradients.defined()) {
      std::vector<std::int64_t> shape = by_sample.sizes().vec();
      shape.insert(shape.begin() + 1, rows);
      run.gradients = row == 0 ? at::empty(shape, gradient.options()) : at::zeros(shape, gradient.options());
    }
    run.gradients.select(1, row).copy_(by_sample);
  }

  struct Input {
    at::Tensor x;
    std::int64_t version = 0;
  };
  struct Output {
    std::size_t layer, use;
    int input_site;
  };

  static std::int64_t Version(const at::Tensor& value) {
    return value.is_inference() ? 0 : static_cast<std::int64_t>(value._version());
  }

  const GradientPass& pass_;
  std::map<int, Input> inputs_;
  std::map<int, Output> outputs_;
};

GradientPass::GradientPass(const Network& network, const std::vector<int>& layers,
                           const std::vector<at::Tensor>& samples, Arithmetic arithmetic)
    : network_(network), layers_(layers), layout_(network, FirstOf(samples)), arithmetic_(arithmetic) {
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    std::vector<network::LayerProduct>& products = uses_.emplace_back();
    const std::size_t count = network_.layers()[static_cast<std::size_t>(layers_[i])].uses.size();
    for (std::size_t use = 0; use < count; ++use) {
      auto product = network::LayerProduct::Of(network_, layers_[i], use);
      if (!product) break;
      products.push_back(std::move(*product));
    }
    if (products.size() != count) products.clear();
    if (products.empty()) without_products_.push_back(i);
    axes_.emplace_back(products.size());
  }
  Prepare(samples);
}

GradientPass GradientPass::In(Arithmetic arithmetic) const {
  GradientPass other = *this;
  other.arithmetic_ = arithmetic;
  return other;
}

at::Tensor GradientPass::Forward(const std::vector<at::Tensor>& inputs, Probe* probe) const {
  const Autocast autocast(at::Device(network_.device()), arithmetic_ == Arithmetic::BFloat16);
  return network_.Forward(layout_(inputs), network_.ParameterValues(), probe);
}

at::Tensor GradientPass::Outputs(const std::vector<at::Tensor>& inputs) const {
  const at::NoGradGuard no_gradient;
  return In(Arithmetic::Float32).Forward(inputs, nullptr);
}

void GradientPass::Prepare(const std::vector<at::Tensor>& samples) {
  const at::NoGradGuard no_gradient;
  one_sample_only_ = true;
  const std::vector<std::size_t> all = Positions(layers_.size());
  Recorder of_one(*this, all, 0);
  const at::Tensor one = Forward(FirstOf(samples), &of_one);
  copied_sites_ = of_one.WrittenSites();
  if (samples.front().size(0) < 2) return;
  Recorder of_two(*this, all, 0);
  const at::Tensor two = Forward(samples, &of_two);
  if (of_one.runs.size() != of_two.runs.size() || SampleAxis(one.sizes(), two.sizes()) != 0) return;
  for (std::size_t i = 0; i < of_one.runs.size(); ++i) {
    const Recorder::Run& first = of_one.runs[i];
    const Recorder::Run& second = of_two.runs[i];
    const Axes axes{SampleAxis(first.x.sizes(), second.x.sizes()), SampleAxis(first.y_shape, second.y_shape)};
    if (first.layer != second.layer || first.use != second.use || axes.x < 0 || axes.y < 0) return;
    axes_[first.layer][first.use] = axes;
  }
  one_sample_only_ = false;
}

std::vector<std::vector<UseRun>> GradientPass::Run(const std::vector<at::Tensor>& inputs, const at::Tensor& rows,
                                                   const std::vector<std::size_t>& wanted) const {
  const at::AutoGradMode with_gradient(true);
  Recorder recorder(*this, wanted, rows.size(0));
  const at::Tensor output = Forward(inputs, &recorder);
  const at::Tensor given = rows.to(output.scalar_type());
  if (output.requires_grad())
    for (; recorder.row < recorder.rows; ++recorder.row)
      network::Differentiate(network_, [&] {
        torch::autograd::grad({output}, recorder.leaves, {given[recorder.row]},
                              /*retain_graph=*/recorder.row + 1 < recorder.rows,
                              /*create_graph=*/false, /*allow_unused=*/true);
      });
  std::vector<std::vector<UseRun>> result(wanted.size());
  for (Recorder::Run& run : recorder.runs) {
    if (!run.gradients.defined()) continue;  // the output does not depend on it
    const auto position = std::find(wanted.begin(), wanted.end(), run.layer) - wanted.begin();
    UseRun& use = result[static_cast<std::size_t>(position)].emplace_back();
    use.product = &uses_[run.layer][run.use];
    use.use = run.use;
    use.x_axis = one_sample_only_ ? -1 : axes_[run.layer][run.use].x;
    use.y_axis = run.y_axis;
    use.x = run.x;
    use.gradients = std::move(run.gradients);
  }
  return result;
}

std::vector<std::vector<UseRun>> GradientPass::Run(const std::vector<at::Tensor>& inputs,
                                                   const at::Tensor& rows) const {
  return Run(inputs, rows, Positions(layers_.size()));
}

std::vector<at::Tensor> GradientPass::GradientsOfOne(const std::vector<at::Tensor>& inputs,
                                                     const at::Tensor& rows) const {
  const at::AutoGradMode with_gradient(true);
  std::vector<at::Tensor> parameters = network_.ParameterValues(),
                          variables;  // recurrent layers and the like: in float32
  for (const std::size_t i : without_products_) {
    const auto parameter = static_cast<std::size_t>(network_.layers()[static_cast<std::size_t>(layers_[i])].weight);
    parameters[parameter] = parameters[parameter].detach().requires_grad_();
    variables.push_back(parameters[parameter]);
  }
  const at::Tensor output = network_.Forward(inputs, parameters);
  std::vector<std::vector<at::Tensor>> gradients(variables.size());
  for (std::int64_t row = 0; row < rows.size(0); ++row) {
    std::vector<at::Tensor> of_row(variables.size());
    if (output.requires_grad())
      network::Differentiate(network_, [&] {
        of_row = torch::autograd::grad({output}, variables, {rows[row]}, /*retain_graph=*/row + 1 < rows.size(0), false,
                                       /*allow_unused=*/true);
      });
    for (std::size_t i = 0; i < variables.size(); ++i)
      gradients[i].push_back(of_row[i].defined() ? of_row[i].detach() : at::zeros_like(variables[i]));
  }
  std::vector<at::Tensor> result;
  for (const std::vector<at::Tensor>& of_layer : gradients) result.push_back(at::stack(of_layer).detach().unsqueeze(0));
  return result;
}

}  // namespace bitplan::hessian
