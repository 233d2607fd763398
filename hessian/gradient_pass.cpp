#include "hessian/gradient_pass.h"

#include <torch/torch.h>

#include <deque>
#include <map>
#include <set>
#include <utility>

#include "bitplan/error.h"
#include "hessian/sample_axis.h"

namespace bitplan {

namespace {

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
    std::vector<at::Tensor> gradients;  // one per row; undefined where none came
  };

  Recorder(const Network& network, const std::vector<int>& layers, const std::vector<std::vector<LayerProduct>>& uses,
           std::set<int> copied_sites = {})
      : copied_sites_(std::move(copied_sites)) {
    for (std::size_t i = 0; i < layers.size(); ++i)
      for (std::size_t use = 0; use < uses[i].size(); ++use) {
        const LayerUse& sites = network.layers()[static_cast<std::size_t>(layers[i])].uses[use];
        inputs_[sites.input_site] = {};
        outputs_[sites.output_site] = {i, use, sites.input_site};
      }
  }

  at::Tensor Visit(int site, const at::Tensor& value) override {
    if (const auto input = inputs_.find(site); input != inputs_.end()) {
      const at::Tensor x = copied_sites_.contains(site) ? value.detach().clone() : value.detach();
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
    Run& run = runs.emplace_back(Run{layer, use, input_site, input.x, input.version, value.sizes().vec(), {}});
    if (traced.requires_grad())
      traced.register_hook([this, &run](const at::Tensor& gradient) {
        run.gradients.resize(rows);
        run.gradients[row] = gradient.detach();
      });
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
  std::size_t row = 0, rows = 0;  // which backward pass is on its way

 private:
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

  std::set<int> copied_sites_;
  std::map<int, Input> inputs_;
  std::map<int, Output> outputs_;
};

GradientPass::GradientPass(const Network& network, const std::vector<int>& layers, const std::vector<at::Tensor>& samples)
    : network_(network), layers_(layers) {
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    std::vector<LayerProduct>& products = uses_.emplace_back();
    const std::size_t count = network_.layers()[static_cast<std::size_t>(layers_[i])].uses.size();
    for (std::size_t use = 0; use < count; ++use) {
      auto product = LayerProduct::Of(network_, layers_[i], use);
      if (!product) break;
      products.push_back(std::move(*product));
    }
    if (products.size() != count) products.clear();
    if (products.empty()) without_products_.push_back(i);
    axes_.emplace_back(products.size());
  }
  Prepare(samples);
}

void GradientPass::Prepare(const std::vector<at::Tensor>& samples) {
  const at::NoGradGuard no_gradient;
  one_sample_only_ = true;
  const std::vector<at::Tensor> parameters = network_.ParameterValues();
  Recorder of_one(network_, layers_, uses_);
  const at::Tensor one = network_.Forward(FirstOf(samples), parameters, &of_one);
  copied_sites_ = of_one.WrittenSites();
  if (samples.front().size(0) < 2) return;
  Recorder of_two(network_, layers_, uses_);
  const at::Tensor two = network_.Forward(samples, parameters, &of_two);
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

std::vector<std::vector<UseRun>> GradientPass::Run(const std::vector<at::Tensor>& inputs, const at::Tensor& rows) const {
  const at::AutoGradMode with_gradient(true);
  Recorder recorder(network_, layers_, uses_, copied_sites_);
  recorder.rows = static_cast<std::size_t>(rows.size(0));
  const at::Tensor output = network_.Forward(inputs, network_.ParameterValues(), &recorder);
  if (output.requires_grad())
    for (; recorder.row < recorder.rows; ++recorder.row)
      torch::autograd::grad({output}, recorder.leaves, {rows[static_cast<std::int64_t>(recorder.row)]},
                            /*retain_graph=*/recorder.row + 1 < recorder.rows, /*create_graph=*/false, /*allow_unused=*/true);
  std::vector<std::vector<UseRun>> result(layers_.size());
  for (Recorder::Run& run : recorder.runs) {
    if (run.gradients.empty()) continue;  // the output does not depend on it
    UseRun& use = result[run.layer].emplace_back();
    use.product = &uses_[run.layer][run.use];
    use.use = run.use;
    if (!one_sample_only_) use.x_axis = axes_[run.layer][run.use].x;
    if (!one_sample_only_) use.y_axis = axes_[run.layer][run.use].y;
    if (one_sample_only_) use.x_axis = use.y_axis = -1;
    use.x = run.x;
    for (at::Tensor& gradient : run.gradients) {
      if (!gradient.defined()) gradient = at::zeros(run.y_shape, run.x.options().dtype(at::kFloat));
      gradient = use.y_axis < 0 ? gradient.unsqueeze(0) : gradient.movedim(use.y_axis, 0);
    }
    use.gradients = at::stack(run.gradients, 1);
    run.gradients.clear();
  }
  return result;
}

std::vector<at::Tensor> GradientPass::GradientsOfOne(const std::vector<at::Tensor>& inputs, const at::Tensor& rows) const {
  const at::AutoGradMode with_gradient(true);
  std::vector<at::Tensor> parameters = network_.ParameterValues(), variables;
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
      of_row = torch::autograd::grad({output}, variables, {rows[row]}, /*retain_graph=*/row + 1 < rows.size(0), false,
                                     /*allow_unused=*/true);
    for (std::size_t i = 0; i < variables.size(); ++i)
      gradients[i].push_back(of_row[i].defined() ? of_row[i].detach() : at::zeros_like(variables[i]));
  }
  std::vector<at::Tensor> result;
  for (const std::vector<at::Tensor>& of_layer : gradients) result.push_back(at::stack(of_layer).detach().unsqueeze(0));
  return result;
}

}  // namespace bitplan
